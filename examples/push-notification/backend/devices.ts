import type { PushSubscription } from "web-push";

/**
 * The devices that each user has registered. In memory, to keep the example small: keep them in your database, where they outlive
 * the process.
 */
export class Devices {
  private readonly byUser = new Map<string, Map<string, PushSubscription>>();

  register(user: string, device: PushSubscription): void {
    const devices = this.byUser.get(user) ?? new Map<string, PushSubscription>();
    this.byUser.set(user, devices.set(device.endpoint, device));
  }

  of(user: string): PushSubscription[] {
    return [...(this.byUser.get(user)?.values() ?? [])];
  }

  forget(user: string, { endpoint }: PushSubscription): void {
    this.byUser.get(user)?.delete(endpoint);
  }
}
