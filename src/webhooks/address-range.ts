/** Ranges of addresses, as an operator writes them. */
import ipaddr from "ipaddr.js";

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = readonly [Address, number];

export function isRange(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}

/** @throws Error if it is none, as {@link isRange} tells */
export const parseRange = (text: string): AddressRange => ipaddr.parseCIDR(text);

export const isWithin = (address: Address, [network, bits]: AddressRange): boolean =>
  address.kind() === network.kind() && address.match([network, bits] as [ipaddr.IPv4 & ipaddr.IPv6, number]);
