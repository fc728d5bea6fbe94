import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { specialArchiveSig, specialAssetSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";

/**
 * Writes a function's code into `folder`. `archive` is an `AssetArchive` of `StringAsset` and `FileAsset`, or the same
 * as the engine sends it: plain objects marked by a signature key.
 */
export async function unpackArchive(archive: unknown, folder: string): Promise<void> {
  const assets = await assetsOf(archive);
  for (const [name, asset] of Object.entries(assets)) {
    await writeAsset(name, asset, path.join(folder, name));
  }
}

async function assetsOf(archive: unknown): Promise<Record<string, unknown>> {
  const assets = isArchive(archive) ? await archive["assets"] : undefined;
  if (assets === undefined) {
    throw new Error(`The code of a function must be an AssetArchive to run locally; got ${kindOf(archive)}.`);
  }
  return assets as Record<string, unknown>;
}

async function writeAsset(name: string, asset: unknown, file: string): Promise<void> {
  // An asset's fields are promises on the class, and plain values as the engine sends them.
  const text = isAsset(asset) ? await asset["text"] : undefined;
  const source = isAsset(asset) ? await asset["path"] : undefined;
  await mkdir(path.dirname(file), { recursive: true });
  // The engine sends an absent field as an empty string, and so does it an empty text.
  if (typeof source === "string" && source !== "") {
    await copyFile(source, file);
  } else if (typeof text === "string") {
    await writeFile(file, text);
  } else {
    throw new Error(`"${name}" must be a StringAsset or a FileAsset to run locally; got ${kindOf(asset)}.`);
  }
}

type Fields = Record<string, unknown>;

function isArchive(value: unknown): value is Fields {
  return pulumi.asset.Archive.isInstance(value) || signatureOf(value) === specialArchiveSig;
}

function isAsset(value: unknown): value is Fields {
  return pulumi.asset.Asset.isInstance(value) || signatureOf(value) === specialAssetSig;
}

function signatureOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? (value as Fields)[specialSigKey] : undefined;
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return value === null ? "null" : typeof value;
  }
  const kind = isArchive(value) ? "an archive" : isAsset(value) ? "an asset" : "an object";
  const fields = Object.keys(value).filter((key) => key !== specialSigKey && !key.startsWith("__pulumi"));
  return `${kind} (${value.constructor.name}) with ${fields.join(", ") || "no fields"}`;
}
