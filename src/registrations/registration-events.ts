/** What begins the session of a registration: the same events with the same ids whenever it is imported. */
import { hash } from "node:crypto";
import type { Registration } from "./registration.js";

const SOURCE = "gatehouse/registrations-import";

/** In the order in which they have to be taken in. */
export function registrationEvents(registration: Registration): object[] {
  const { device, user, app, platform, mdmEnrolled, posture, time } = registration;
  const subject = `${device}/${user}/${app}`;
  // By what it says: registered anew, or seen anew, it is another fact.
  const id = hash("sha256", JSON.stringify([subject, platform, mdmEnrolled, posture, time]), "hex").slice(0, 32);
  const event = (type: string, data: object): object => ({
    specversion: "1.0",
    id: `${id}/${type}`,
    source: SOURCE,
    type,
    subject,
    time,
    data,
  });
  return [
    event("account.signedIn", { platform, ...(mdmEnrolled && { deviceMdmEnrolled: true }) }),
    event("posture.reported", posture),
    event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }),
  ];
}
