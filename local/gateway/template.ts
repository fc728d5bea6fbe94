// A name of one part: `$context.identity.sourceIp` is not taken for `$context.identity`.
const variables = /\$context\.(\w+)(?!\w|\.\w)/g;

/** Whether a mapping template can be rendered here: text and `$context.{name}`, and no other Velocity. */
export function isPlainTemplate(template: string): boolean {
  const rest = template.replace(variables, "");
  return !/\$[a-z{!]|#[a-z{#*@]/i.test(rest);
}

/** `template` with every `$context.{name}` replaced; a name the context lacks becomes nothing. */
export function render(template: string, context: Readonly<Record<string, unknown>>): string {
  return template.replace(variables, (_, name: string) => String(context[name] ?? ""));
}
