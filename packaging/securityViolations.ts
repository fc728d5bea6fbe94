import { type Control, controlName, controls, type HardeningSetting } from "./securityControls";
import type { Registered } from "./registeredResources";

/**
 * The controls that a program does not meet, each with the resource, as `APIGateway.1: relay-stage`; exceptions left out.
 *
 * @param settings Those of `hardeningSettings` that the program has.
 */
export function violations(registered: readonly Registered[], settings: readonly HardeningSetting[]): string[] {
  return subjects(registered)
    .filter(({ control, resource }) => !isExcepted(control, resource, settings))
    .filter(({ control, resource }) => !control.holds(resource, registered))
    .map(({ control, resource }) => `${controlName(control)}: ${resource.name}`);
}

/**
 * The exceptions that a program does not need, because it meets the control.
 *
 * @param settings Those of `hardeningSettings` that the program has.
 */
export function needlessExceptions(registered: readonly Registered[], settings: readonly HardeningSetting[]): string[] {
  return subjects(registered)
    .filter(({ control, resource }) => isExcepted(control, resource, settings))
    .filter(({ control, resource }) => control.holds(resource, registered))
    .map(({ control, resource }) => `${controlName(control)}: ${resource.name}`);
}

function subjects(registered: readonly Registered[]): { control: Control; resource: Registered }[] {
  return controls.flatMap((control) =>
    registered
      .filter(({ type }) => control.types.some((own) => type === `aws:${own}`))
      .map((resource) => ({ control, resource })),
  );
}

function isExcepted({ exception }: Control, { name }: Registered, settings: readonly HardeningSetting[]): boolean {
  if (exception === undefined) return false;
  const { resources = /^/, unless } = exception;
  return resources.test(name) && !(unless !== undefined && settings.includes(unless));
}
