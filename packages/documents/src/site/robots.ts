import robotsModule from "robots-parser";
import { FetchError, type FetchedPage } from "./fetch-page.js";

// The package's types speak of a default export; the module is the function itself.
const robotsParser = robotsModule as unknown as typeof robotsModule.default;

/** As RFC 9309 has it, a parser need not read more. */
const MOST_BYTES = 500 * 1024;
/** The name that rules for this program alone have. */
const NAME = "rag-ft";
/** Seconds between two requests that a site may ask for. */
const MOST_DELAY = 30;

/** What a site asks of programs. */
export interface Robots {
  allows(address: URL): boolean;
  /** Seconds between two requests; 0 when it does not ask for any. */
  delay: number;
}

const OPEN: Robots = { allows: () => true, delay: 0 };

/**
 * What the `robots.txt` of a site asks for (RFC 9309). A site without one asks for nothing; of one that cannot be had nothing is known.
 *
 * @throws FetchError when the server is at fault
 */
export async function readRobots(site: URL, request: (address: URL) => Promise<FetchedPage>): Promise<Robots> {
  const address = new URL("/robots.txt", site);
  let bytes: Uint8Array;
  try {
    bytes = (await request(address)).bytes ?? new Uint8Array();
  } catch (error) {
    const isNotThere =
      error instanceof FetchError && (error.elsewhere || ((error.status ?? 500) < 500 && error.status !== 429));
    if (isNotThere) return OPEN;
    throw error;
  }
  const robots = robotsParser(address.href, new TextDecoder().decode(bytes.subarray(0, MOST_BYTES)));
  return {
    allows: ({ href }) => robots.isAllowed(href, NAME) !== false,
    delay: Math.min(MOST_DELAY, robots.getCrawlDelay(NAME) ?? 0),
  };
}
