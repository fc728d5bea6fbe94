/** What the control plane answers to a request it does not accept, under the name AWS gives the error. */
export class ControlPlaneError extends Error {
  constructor(
    override readonly name: "BadRequestException" | "ConflictException" | "NotFoundException",
    message: string,
  ) {
    super(message);
  }
}

export const badRequest = (message: string): ControlPlaneError => new ControlPlaneError("BadRequestException", message);
export const conflict = (message: string): ControlPlaneError => new ControlPlaneError("ConflictException", message);
export const notFound = (message: string): ControlPlaneError => new ControlPlaneError("NotFoundException", message);
