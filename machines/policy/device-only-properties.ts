/**
 * Properties that the app enforces on the device, without a session ever noticing: they are known, shown to the administrator, and do
 * nothing here.
 */
import type { Platform } from "./rules.js";

export interface DeviceOnlyProperty {
  readonly on: Platform | "both";
  readonly means: string;
}

const both = (means: string): DeviceOnlyProperty => ({ on: "both", means });
const ios = (means: string): DeviceOnlyProperty => ({ on: "ios", means });
const android = (means: string): DeviceOnlyProperty => ({ on: "android", means });

export const DEVICE_ONLY_PROPERTIES: Readonly<Record<string, DeviceOnlyProperty>> = {
  // Data transfer
  allowedInboundDataTransferSources: both("which apps may hand data to this one"),
  allowedOutboundDataTransferDestinations: both("which apps this one may hand data to"),
  allowedOutboundClipboardSharingLevel: both("between which apps text may be copied"),
  allowedOutboundClipboardSharingExceptionLength: both("how many characters may be copied anywhere"),
  allowedDataStorageLocations: both("where copies may be saved although saving is blocked"),
  allowedDataIngestionLocations: both("from where data may be opened although opening is blocked"),
  blockDataIngestionIntoOrganizationDocuments: both("data from elsewhere may not be put into work documents"),
  dataBackupBlocked: both("work data is left out of the phone's backup"),
  saveAsBlocked: both("copies of work data may not be saved"),
  contactSyncBlocked: both("contacts are not written to the phone's address book"),
  printBlocked: both("work data may not be printed"),
  screenCaptureBlocked: both("no screenshots of work data"),
  screenCaptureConfigurationState: ios("no screenshots of work data"),
  genmojiConfigurationState: ios("made emoji in work data"),
  writingToolsConfigurationState: ios("writing tools on work data"),
  allowWidgetContentSync: ios("work data in widgets"),
  filterOpenInToOnlyManagedApps: ios("the share sheet offers managed apps alone"),
  disableProtectionOfManagedOutboundOpenInData: ios("documents are handed over unencrypted"),
  protectInboundDataFromUnknownSources: ios("data from unknown sources is protected as work data"),
  exemptedAppProtocols: ios("apps exempted from the transfer rules, by URL scheme"),
  exemptedAppPackages: android("apps exempted from the transfer rules, by package"),
  managedUniversalLinks: ios("web addresses that open in managed apps"),
  exemptedUniversalLinks: ios("web addresses that open in any app"),
  notificationRestriction: both("how much of work data a notification shows"),

  // Encryption and the network
  appDataEncryptionType: ios("when work data is encrypted"),
  encryptAppData: android("work data is encrypted"),
  disableAppEncryptionIfDeviceEncryptionIsEnabled: android("the device's own encryption will do"),
  connectToVpnOnLaunch: android("a VPN is connected at launch"),

  // Other apps and keyboards
  managedBrowser: both("the browser that opens links"),
  managedBrowserToOpenLinksRequired: both("links open in that browser alone"),
  customBrowserProtocol: ios("a browser of the organisation's own, by URL scheme"),
  customBrowserPackageId: android("a browser of the organisation's own, by package"),
  customBrowserDisplayName: android("its name"),
  dialerRestrictionLevel: both("which apps may dial a number"),
  customDialerAppProtocol: ios("a dialer of the organisation's own, by URL scheme"),
  customDialerAppPackageId: android("a dialer of the organisation's own, by package"),
  customDialerAppDisplayName: android("its name"),
  protectedMessagingRedirectAppType: both("which apps may write a message"),
  messagingRedirectAppUrlScheme: ios("a messaging app of the organisation's own, by URL scheme"),
  messagingRedirectAppPackageId: android("a messaging app of the organisation's own, by package"),
  messagingRedirectAppDisplayName: android("its name"),
  thirdPartyKeyboardsBlocked: ios("the system's keyboards alone"),
  keyboardsRestricted: android("approved keyboards alone"),
  approvedKeyboards: android("those keyboards"),

  // Proof and threat defence: what counts arrives here as one event, whatever it was made of
  requireClass3Biometrics: android("strong biometrics alone stand in for the PIN"),
  mobileThreatDefensePartnerPriority: both("whose threat level counts where two products are connected"),
  customSettings: both("settings for the app itself"),
};

/** What a document says of itself, or of whom and what it is for. */
export const DOCUMENT_PROPERTIES: Readonly<Record<string, string>> = {
  id: "names the policy",
  displayName: "its name for people",
  description: "for people",
  version: "Graph's own",
  createdDateTime: "for people",
  lastModifiedDateTime: "for people",
  roleScopeTagIds: "who may administer it in Intune",
  isAssigned: "`false` without `assignments`: the policy is for nobody yet",
  assignments: "whom it is for: groups, excluded groups, or every licensed user",
  apps: "the apps that it is for, by bundle or package id",
  appGroupType: "`selectedPublicApps`: those; or a group of apps: all, all of Microsoft's, Microsoft's core apps",
  targetedAppManagementLevels: "devices that it is for: `mdm`, `unmanaged` …; `unspecified`: all",
  deployedAppCount: "Graph's own",
  deploymentSummary: "Graph's own",
};
