import { measure, type Row } from "./measure";
import { FULL, QUICK } from "./times";

/** Measures the commit that this file is in: one JSON document on stdout. Called with `{ rows, quick }` as JSON. */
const { rows, quick } = JSON.parse(process.argv[2] ?? "") as { rows: (Row | "sequential")[]; quick: boolean };

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

measure(rows, quick ? QUICK : FULL).then(
  // Exit explicitly: Pulumi's mocks may leave open handles.
  (measured) => process.stdout.write(JSON.stringify(measured), () => process.exit(0)),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
