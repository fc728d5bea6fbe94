/** The stack's output `settings`. */
export interface Settings {
  websocketUrl: string;
  /** The issuer of the tokens: Cognito's endpoints are found from it. */
  authority: string;
  clientId: string;
  /** Where the browser ends the session that Cognito itself keeps. */
  signOutUrl: string;
}

/** Read at run time, so that one build serves every stack. */
export async function loadSettings(): Promise<Settings> {
  const response = await fetch("/settings.json");
  if (!response.ok) throw new Error(`settings.json: ${response.status}; the README says how to write it`);
  return (await response.json()) as Settings;
}
