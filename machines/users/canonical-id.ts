/** Directory ids are compared without case, so one that is a GUID has one spelling here. */

const GUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

/** Lower case for a GUID; any other id as it is. */
export const canonicalId = (id: string): string => (GUID.test(id) ? id.toLowerCase() : id);
