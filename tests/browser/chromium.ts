import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

/**
 * The system's Chromium, or the one that CHROMIUM_PATH names.
 *
 * @throws Error that says what to install: a test that was skipped would look like one that passed.
 */
export function chromiumPath({ CHROMIUM_PATH: given, PATH = "" }: NodeJS.ProcessEnv = process.env): string {
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(
      `CHROMIUM_PATH: got ${JSON.stringify(given)}, which is no executable; allowed: the path of a Chromium`,
    );
  }
  const found = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const executable = found.find(isExecutable);
  if (executable !== undefined) return executable;
  throw new Error(
    `no browser: there is no ${names.join(", ")} on the PATH. Install one (Debian, Ubuntu: apt-get install chromium), or set CHROMIUM_PATH to a Chromium's executable`,
  );
}

/** @param isCaching Whether a page that is left goes into the back-forward cache: Playwright turns that off. */
export async function launchChromium({ isCaching = false } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    ignoreDefaultArgs: isCaching ? ["--disable-back-forward-cache"] : [],
    args: [
      // Its sandbox needs rights that a container does not give; the pages are this repository's own.
      "--no-sandbox",
      "--disable-gpu",
      // Turns off what a browser does in the background, which would need a network.
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
