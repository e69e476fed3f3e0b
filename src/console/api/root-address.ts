/**
 * Where the service is, with a slash at the end: also below a prefix that only a proxy knows. The document's `base` says it
 * relative to the address that was opened; read once, before the router changes that address.
 */
export const rootAddress = new URL(document.baseURI);

/** An address of the API, for requests that openapi-fetch can't make. */
export const apiAddress = (path: string): string => new URL(`api/ml/v1${path}`, rootAddress).href;
