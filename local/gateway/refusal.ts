/** What the control plane answers to a request it does not accept, under the name AWS gives the error. */
export class Refusal extends Error {
  constructor(
    override readonly name: "BadRequestException" | "ConflictException" | "NotFoundException",
    message: string,
  ) {
    super(message);
  }
}

export const badRequest = (message: string): Refusal => new Refusal("BadRequestException", message);
export const conflict = (message: string): Refusal => new Refusal("ConflictException", message);
export const notFound = (message: string): Refusal => new Refusal("NotFoundException", message);
