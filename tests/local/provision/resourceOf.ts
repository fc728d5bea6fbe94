import type { LocalResource, LocalResources } from "../../../local/provision/resource";

/** The resource of this type, to be called as a provider calls it. @throws where it cannot be changed in place. */
export function resourceOf(
  resources: LocalResources,
  type: string,
): LocalResource & Required<Pick<LocalResource, "update">> {
  const { update, ...resource } = resources[type] ?? {};
  if (!update) throw new Error(`${type} is no resource that can be changed in place`);
  return { ...(resource as LocalResource), update };
}
