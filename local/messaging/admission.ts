import type { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AccessDenied, type Iam } from "../iam";
import type { MessagingAccess } from "./access";
import { AwsError } from "./awsError";
import { denySns, denySqs, refuseSns, refuseSqs } from "./errorAnswers";
import type { FanOut } from "./fanOut";
import { publishEntries } from "./messageGroups";
import { prepareSqsRequest, type SqsRequestContext } from "./sqsRequests";

export interface AdmissionOptions {
  iam: Iam;
  access: MessagingAccess;
  fanOut: FanOut;
  /** Holds the request of SQS while fauxqs handles it. */
  receiver: AsyncLocalStorage<FastifyRequest>;
  context: SqsRequestContext;
  topicAttributes: (topicArn: string) => Record<string, string> | undefined;
}

/** Has every request to SNS and SQS judged before fauxqs sees it. */
export function admitRequests(app: Pick<FastifyInstance, "addHook">, options: AdmissionOptions): void {
  const { iam, access, fanOut, receiver, context, topicAttributes } = options;

  const admitSns = async (request: FastifyRequest, body: Record<string, string>, done: () => void) => {
    const { Action: action = "", TopicArn, TargetArn } = body;
    await access.checkSns(iam.principalOf(request.headers), action, body);
    if (!/^Publish(Batch)?$/.test(action)) return done();
    const topicArn = TopicArn ?? TargetArn ?? "";
    await fanOut.publishing(topicArn, publishEntries(body, topicAttributes(topicArn)), done);
  };

  const admitSqs = async (request: FastifyRequest, action: string, done: () => void) => {
    const body = request.body as Record<string, unknown>;
    await access.checkSqs(iam.principalOf(request.headers), action, body);
    prepareSqsRequest(action, body, context);
    receiver.run(request, done);
  };

  app.addHook("preHandler", (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    const body = request.body as Record<string, string> | undefined;
    const sqsAction = /^AmazonSQS\.(.+)$/.exec(String(request.headers["x-amz-target"]))?.[1];
    if (!sqsAction && !body?.["Action"]) return done();
    (sqsAction ? admitSqs(request, sqsAction, done) : admitSns(request, body ?? {}, done)).catch((error: Error) => {
      if (error instanceof AccessDenied) (sqsAction ? denySqs : denySns)(reply, error);
      else if (error instanceof AwsError) (sqsAction ? refuseSqs : refuseSns)(reply, error);
      else done(error);
    });
  });
}
