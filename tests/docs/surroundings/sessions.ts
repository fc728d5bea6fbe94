/** The reader's own sessions; `expiresAt` in epoch seconds. */
export async function sessionOf(token: string | undefined, tenant: string | undefined) {
  return token === tenant ? null : { userId: "42", expiresAt: 1_800_000_000 };
}
