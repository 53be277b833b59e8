/** What is fetched of one site at most. */
export interface SiteLimits {
  pages: number;
  /** Sitemaps that an index names. */
  sitemaps: number;
  /** Of one page or sitemap, unpacked. */
  bytes: number;
  bytesInAll: number;
  /** For one page, from the request to its last byte. */
  seconds: number;
  redirects: number;
  /** Requests for one address, when the server is at fault or asked too much. */
  tries: number;
  /** Longest wait between two of them; what a server asks to wait longer for is left out. */
  waitSeconds: number;
}

export const SITE_LIMITS: SiteLimits = {
  pages: 20_000,
  sitemaps: 500,
  // The protocol's own bound of a sitemap: https://www.sitemaps.org/protocol.html
  bytes: 50 * 2 ** 20,
  bytesInAll: 4 * 2 ** 30,
  seconds: 30,
  redirects: 5,
  tries: 4,
  waitSeconds: 120,
};
