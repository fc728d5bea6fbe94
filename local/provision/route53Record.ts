import { refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties } from "./resource";

/**
 * Route 53 records: checked, and never resolved. Clients of a custom domain name connect to the API's own port, with the
 * domain's name in the Host header.
 */
export function recordResources(): LocalResources {
  const existing = new Set<string>();
  const outputs = ({ name }: Properties): Properties => ({ fqdn: name, name });
  const record: LocalResource = {
    replaceOnChanges: ["zoneId", "name", "type", "setIdentifier"],
    async create({ name, inputs }) {
      checkRecord(name, inputs);
      const { zoneId, name: recordName, type, setIdentifier, allowOverwrite } = inputs;
      const id = [zoneId, recordName, type, setIdentifier].filter((part) => part !== undefined).join("_");
      if (existing.has(id) && !allowOverwrite) {
        throw new Error(
          `InvalidChangeBatch: tried to create resource record set [name='${String(recordName)}', type='${String(type)}'] ` +
            "but it already exists",
        );
      }
      existing.add(id);
      return { id, outputs: outputs(inputs) };
    },
    async update(_, { name, inputs }) {
      checkRecord(name, inputs);
      return outputs(inputs);
    },
    delete: async (id) => void existing.delete(id),
  };
  return { "aws:route53/record:Record": record };
}

const types = [
  "A",
  "AAAA",
  "CAA",
  "CNAME",
  "DS",
  "HTTPS",
  "MX",
  "NAPTR",
  "NS",
  "PTR",
  "SOA",
  "SPF",
  "SRV",
  "SVCB",
  "TXT",
];

function checkRecord(name: string, inputs: Properties): void {
  const refuse = refusal(`record ${name}`, "InvalidInput");
  for (const key of ["zoneId", "name"]) {
    if (typeof inputs[key] !== "string" || inputs[key] === "") refuse(key, inputs[key], "a text");
  }
  if (!types.includes(String(inputs["type"]))) refuse("type", inputs["type"], `one of ${types.join(", ")}`);
  const { records, ttl } = inputs;
  const aliases = (inputs["aliases"] ?? []) as Properties[];
  if (aliases.length > 1 || (aliases.length === 1) === (records !== undefined)) {
    refuse("aliases", aliases, "one alias, or else records");
  }
  if (records !== undefined && !Number.isInteger(ttl)) refuse("ttl", ttl, "given with records");
  for (const alias of aliases) {
    if (ttl !== undefined) refuse("ttl", ttl, "absent with an alias");
    if (!alias["name"] || !alias["zoneId"] || typeof alias["evaluateTargetHealth"] !== "boolean") {
      refuse("aliases", alias, "one with name, zoneId and evaluateTargetHealth");
    }
  }
}
