import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build as bundle } from "esbuild";
import ts from "typescript";

// Builds the client and the backend helper as separate packages, for programs without Pulumi.

const repository = resolve(__dirname, "..");

/** The fields that the packages take from the component's package.json. */
const root = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
  name: string;
  version: string;
  license: string;
  engines: object;
  dependencies: Record<string, string>;
};

interface Publishable {
  /** Also the name of its folder in `dist-packages`, and of the source folder with its README. */
  part: "client" | "backend";
  description: string;
  keywords: string[];
  platform: "neutral" | "node";
  /** The source folders that are entries: the first is the package itself, the others are its subpaths. */
  entries: string[];
  /** Files of the repository that are published unchanged, under their own paths. @default none */
  files?: string[];
  /** @default no restriction */
  engines?: object;
}

const publishables: Publishable[] = [
  {
    part: "client",
    description: "The client of pulumi-websocket-relay for browsers, React Native and Node, and its wire protocol",
    keywords: ["websocket", "client", "reconnect", "resume", "api-gateway"],
    platform: "neutral",
    entries: ["client", "protocol"],
    files: ["frames", "messageAttributes", "receipt", "streamChunk"].map((name) => `protocol/${name}.schema.json`),
  },
  {
    part: "backend",
    description: "Publishes messages to users through a pulumi-websocket-relay, and disconnects users",
    keywords: ["websocket", "aws", "sns", "api-gateway"],
    platform: "node",
    entries: ["backend"],
    engines: root.engines,
  },
];

/**
 * Writes each package into `folder` as a folder for `npm publish`.
 *
 * @param dist The output of tsc, with the packages' types.
 */
export async function writePublishables(folder: string, dist: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  for (const publishable of publishables) await write(publishable, join(folder, publishable.part), dist);
}

async function write(publishable: Publishable, folder: string, dist: string): Promise<void> {
  const { part, entries, platform, files = [] } = publishable;
  const packages: string[] = [];
  for (const entry of entries) {
    packages.push(...(await bundleModules(entry, platform, join(folder, entry), ["esm", "cjs"])));
  }
  const types = typesOf(entries.map((entry) => join(dist, entry, "index.d.ts")));
  for (const file of types.files) {
    const target = join(folder, relative(dist, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
  for (const file of files) copyFileSync(join(repository, file), join(folder, file));
  const dependencies = dependenciesOf([...packages, ...types.packages]);
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(publishable, dependencies), null, 2)}\n`);
  copyFileSync(join(repository, part, "README.md"), join(folder, "README.md"));
  copyFileSync(join(repository, "LICENSE"), join(folder, "LICENSE"));
}

function manifest(
  { part, description, keywords, entries, files = [], engines }: Publishable,
  dependencies: object,
): object {
  const [main = "", ...subpaths] = entries;
  return {
    name: `${root.name}-${part}`,
    version: root.version,
    description,
    keywords,
    license: root.license,
    engines,
    type: "commonjs",
    sideEffects: false,
    main: `./${main}/index.js`,
    module: `./${main}/index.mjs`,
    types: `./${main}/index.d.ts`,
    // A resolver without support for `exports` finds a subpath by its folder.
    exports: {
      ".": conditionsOf(main, part),
      ...Object.fromEntries(subpaths.map((entry) => [`./${entry}`, conditionsOf(entry, part)])),
      ...Object.fromEntries(files.map((file) => [`./${file}`, `./${file}`])),
      "./package.json": "./package.json",
    },
    files: ["**/*.{js,mjs,d.ts,d.mts}", ...files],
    dependencies,
  };
}

function conditionsOf(entry: string, part: Publishable["part"]): object {
  const commonJs = { types: `./${entry}/index.d.ts`, default: `./${entry}/index.js` };
  return {
    // Not every version of Metro reads .mjs.
    ...(part === "client" && { "react-native": commonJs }),
    import: { types: `./${entry}/index.d.mts`, default: `./${entry}/index.mjs` },
    ...commonJs,
  };
}

const extensions = { esm: ".mjs", cjs: ".js" };

/**
 * Bundles the sources of an entry, each format into one file. The AWS SDK stays an import. Smaller packages are bundled with their
 * licences: some are ES modules only, which CommonJS on Lambda and in Jest cannot require. The bundle is not minified, to keep
 * stack traces and licence notices readable; the using program can minify it.
 *
 * @returns the packages that the bundle imports.
 */
export async function bundleModules(
  entry: string,
  platform: Publishable["platform"],
  folder: string,
  formats: (keyof typeof extensions)[],
): Promise<string[]> {
  const packages: string[] = [];
  for (const format of formats) {
    const { metafile } = await bundle({
      entryPoints: [join(repository, entry, "index.ts")],
      outfile: join(folder, `index${extensions[format]}`),
      bundle: true,
      external: ["@aws-sdk/*", "@ag-ui/*"],
      format,
      platform,
      target: platform === "node" ? "node20" : "es2022",
      metafile: true,
    });
    const licences = licencesOf(Object.keys(metafile.inputs));
    if (licences !== "") appendFileSync(join(folder, `index${extensions[format]}`), licences);
    packages.push(...Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)));
  }
  // Separate types: with those of CommonJS, TypeScript would show a default export to a program of ES modules.
  writeFileSync(join(folder, "index.d.mts"), 'export * from "./index.js";\n');
  return packages;
}

/** The licences of the packages of these files, as comments. */
function licencesOf(files: string[]): string {
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(folders)]
    .map((folder) => {
      const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
      const file = readdirSync(folder).find((each) => /^licen[cs]e(\.\w+)?$/i.test(each));
      if (file === undefined)
        throw new Error(
          `${folder} has no licence file, so it cannot be bundled. Fix: replace the package, or make it external`,
        );
      return `\n/*! ${name}\n${readFileSync(join(folder, file), "utf8").trim()}\n*/\n`;
    })
    .join("");
}

/** The type files that the given ones import, directly or not, and the packages whose types they use. */
function typesOf(entries: string[]): { files: string[]; packages: string[] } {
  const files = new Set(entries);
  const packages: string[] = [];
  // The loop also visits files that are added to the set meanwhile.
  for (const file of files) {
    for (const { fileName } of ts.preProcessFile(readFileSync(file, "utf8")).importedFiles) {
      if (!fileName.startsWith(".")) packages.push(fileName);
      else files.add(typesFileOf(resolve(dirname(file), fileName)));
    }
  }
  return { files: [...files], packages };
}

function typesFileOf(path: string): string {
  return existsSync(`${path}.d.ts`) ? `${path}.d.ts` : join(path, "index.d.ts");
}

/** Version ranges, so that the program needs only one copy of the SDK. The component pins versions, because it bundles its functions. */
function dependenciesOf(imported: string[]): Record<string, string> {
  const names = new Set(imported.filter((path) => !path.startsWith("node:")));
  return Object.fromEntries(
    [...names].sort().map((name) => {
      const version = root.dependencies[name];
      if (version === undefined)
        throw new Error(`${name} is imported, but is not a dependency in package.json. Fix: add it`);
      return [name, `^${version}`];
    }),
  );
}
