import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ResolvedAlarms } from "../args/alarmArgs";
import { requireComputed } from "../args/requireComputed";
import type { Gateway } from "../gateway/gateway";
import type { Publisher } from "../ingress/publisher";
import type { CallbackFunction } from "../lambda/callbackFunction";
import { alarmsOf, type AlarmSubjects } from "./alarms";
import { dashboardBody } from "./dashboard";

export interface MonitoringArgs {
  /** The value of the dimension `Relay` of the functions' metrics; names the alarms and the dashboard. */
  relayName: string;
  delivery: "retry" | "replay";
  gateway: Gateway;
  publisher: Publisher;
  /** By their names in alarms and on the dashboard. */
  functions: Record<string, CallbackFunction>;
  /** None if undefined. */
  alarms: ResolvedAlarms | undefined;
  dashboard: boolean;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The alarms that call an operator, and the dashboard that shows where to look. */
export class Monitoring extends pulumi.ComponentResource {
  /** By the last part of their names, `dead-letters` and so on. */
  readonly alarms: Record<string, aws.cloudwatch.MetricAlarm>;
  readonly dashboard: aws.cloudwatch.Dashboard | undefined;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:Monitoring", `${name}-monitoring`, {}, opts);
    const { publisher, relayName, delivery } = args;
    const subjects = {
      relayName,
      delivery,
      topicName: publisher.topicArn.apply((arn) => requireComputed(arn, `arn of ${name}-topic`).split(":")[5] ?? ""),
      queueName: publisher.queue.name,
      deadLetterQueueName: publisher.deadLetterQueue.name,
      subscriptionDeadLetterQueueName: publisher.subscriptionDeadLetterQueue.name,
      functionNames: Object.fromEntries(
        Object.entries(args.functions).map(([part, { function: handler }]) => [part, handler.name]),
      ),
    };

    this.alarms = this.createAlarms(name, args, subjects);
    this.dashboard = args.dashboard ? this.createDashboard(name, args, subjects) : undefined;
    this.registerOutputs({});
  }

  private createAlarms(
    name: string,
    { alarms, relayName, tags }: MonitoringArgs,
    subjects: AlarmSubjects,
  ): Record<string, aws.cloudwatch.MetricAlarm> {
    if (alarms === undefined) {
      return {};
    }
    const told = { alarmActions: alarms.actions, okActions: alarms.actions };
    const create = (part: string, alarm: aws.cloudwatch.MetricAlarmArgs) =>
      new aws.cloudwatch.MetricAlarm(
        `${name}-${part}-alarm`,
        // The name tells which relay of which stack it is.
        { name: `${relayName}-${part}`, ...alarm, ...told, tags },
        { parent: this },
      );
    return Object.fromEntries(
      Object.entries(alarmsOf(alarms, subjects)).map(([part, alarm]) => [part, create(part, alarm)]),
    );
  }

  private createDashboard(
    name: string,
    { gateway, publisher, relayName }: MonitoringArgs,
    subjects: AlarmSubjects,
  ): aws.cloudwatch.Dashboard {
    const body = pulumi
      .output({
        ...subjects,
        region: publisher.queue.arn.apply((arn) => requireComputed(arn, `arn of ${name}-queue`).split(":")[3] ?? ""),
        apiId: gateway.api.id,
        stageName: gateway.stage.name,
      })
      .apply(dashboardBody);
    return new aws.cloudwatch.Dashboard(
      `${name}-dashboard`,
      // A project's name may contain dots, a dashboard's may not.
      { dashboardName: relayName.replace(/[^\w-]/g, "-"), dashboardBody: pulumi.jsonStringify(body) },
      { parent: this },
    );
  }
}
