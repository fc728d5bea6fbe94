import { account, partition } from "../account";
import { jsonObject } from "../jsonObject";
import { refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties } from "./resource";

/** Dashboards: checked, and never drawn. */
export function dashboardResources(): LocalResources {
  // A dashboard's ARN has no region.
  const outputs = (id: string): Properties => ({
    id,
    dashboardArn: `arn:${partition}:cloudwatch::${account}:dashboard/${id}`,
  });
  const dashboard: LocalResource = {
    replaceOnChanges: ["dashboardName"],
    async create({ name, inputs }) {
      checkDashboard(name, inputs);
      const id = String(inputs["dashboardName"]);
      return { id, outputs: outputs(id) };
    },
    async update(id, { name, inputs }) {
      checkDashboard(name, inputs);
      return outputs(id);
    },
    delete: async () => undefined,
  };
  return { "aws:cloudwatch/dashboard:Dashboard": dashboard };
}

/**
 * The required properties of a widget, by its type.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
const required: Record<string, string[][]> = {
  text: [["markdown"]],
  metric: [["region"], ["metrics", "annotations"]],
  log: [["region"], ["query"]],
  alarm: [["alarms"]],
  explorer: [["metrics"]],
  custom: [["endpoint"]],
};

interface Widget {
  type?: string;
  x?: unknown;
  y?: unknown;
  width?: unknown;
  height?: unknown;
  properties?: Properties;
}

function checkDashboard(name: string, { dashboardName, dashboardBody }: Properties): void {
  const refuse = refusal(`dashboard ${name}`, "InvalidParameterInput");
  if (!/^[\w-]{1,255}$/.test(String(dashboardName ?? ""))) {
    refuse("dashboardName", dashboardName, "1 to 255 letters, digits, _ and -");
  }
  const body = jsonObject(dashboardBody);
  if (!body) return refuse("dashboardBody", dashboardBody, "a JSON object");
  const { widgets } = body as { widgets?: Widget[] };
  if (!Array.isArray(widgets) || widgets.length > 500) {
    return refuse("dashboardBody.widgets", widgets, "a list of at most 500 widgets");
  }
  widgets.forEach((widget, index) => {
    const at = `dashboardBody.widgets[${index}]`;
    const { type = "", x = 0, y = 0, width = 6, height = 6, properties = {} } = widget;
    const keys = Object.hasOwn(required, type) ? required[type] : undefined;
    if (!keys) return refuse(`${at}.type`, type, `one of ${Object.keys(required).join(", ")}`);
    for (const [key, value, least, most] of [
      ["x", x, 0, 23],
      ["y", y, 0, Infinity],
      ["width", width, 1, 24],
      ["height", height, 1, 1000],
    ] as const) {
      const fits = Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
      if (!fits) refuse(`${at}.${key}`, value, `an integer from ${least} to ${most}`);
    }
    for (const alternatives of keys) {
      if (!alternatives.some((key) => properties[key] !== undefined)) {
        refuse(
          `${at}.properties`,
          Object.keys(properties),
          `those of a ${type} widget, ${alternatives.join(" or ")} among them`,
        );
      }
    }
  });
}
