import type { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AccessDenied, type Iam } from "../iam/iam";
import type { MessagingAccess } from "./access";
import { AwsError } from "./awsError";
import type { RefusedEntry } from "./batch";
import { denySns, denySqs, refuseSns, refuseSqs, withRefusedSns, withRefusedSqs } from "./errorAnswers";
import type { FanOut } from "./fanOut";
import { preparePublish } from "./publishRequests";
import { checkSnsRequest, type SnsRequestContext } from "./snsRequests";
import { prepareSqsRequest, type SqsRequestContext } from "./sqsRequests";

export interface AdmissionOptions {
  iam: Iam;
  access: MessagingAccess;
  fanOut: FanOut;
  /** Holds the request of SQS while fauxqs handles it. */
  receiver: AsyncLocalStorage<FastifyRequest>;
  sqsContext: SqsRequestContext;
  snsContext: SnsRequestContext;
  topicAttributes: (topicArn: string) => Record<string, string> | undefined;
}

/** Has every request to SNS and SQS judged before fauxqs sees it. */
export function admitRequests(app: Pick<FastifyInstance, "addHook">, options: AdmissionOptions): void {
  const { iam, access, fanOut, receiver, sqsContext, snsContext, topicAttributes } = options;
  /** What was refused of a batch whose other entries fauxqs handles. */
  const refusedOf = new WeakMap<FastifyRequest, RefusedEntry[]>();

  const admitSns = async (request: FastifyRequest, body: Record<string, string | undefined>, done: () => void) => {
    const { Action: action = "", TopicArn, TargetArn } = body;
    await access.checkSns(iam.principalOf(request.headers), action, body);
    checkSnsRequest(action, body, snsContext);
    if (!/^Publish(Batch)?$/.test(action)) return done();
    const topicArn = TopicArn ?? TargetArn ?? "";
    const { entries, refused } = preparePublish(body, topicAttributes(topicArn));
    refusedOf.set(request, refused);
    await fanOut.publishing(topicArn, entries, done);
  };

  const admitSqs = async (request: FastifyRequest, reply: FastifyReply, action: string, done: () => void) => {
    const body = request.body as Record<string, unknown>;
    await access.checkSqs(iam.principalOf(request.headers), action, body);
    const refused = prepareSqsRequest(action, body, sqsContext);
    refusedOf.set(request, refused);
    // fauxqs would call it an empty batch.
    const isEmpty = refused.length > 0 && (body["Entries"] as unknown[]).length === 0;
    if (isEmpty)
      void reply.header("content-type", "application/x-amz-json-1.0").send(JSON.stringify({ Successful: [] }));
    else receiver.run(request, done);
  };

  app.addHook("preHandler", (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    const body = request.body as Record<string, string | undefined> | undefined;
    const sqsAction = sqsActionOf(request);
    if (!sqsAction && !body?.["Action"]) return done();
    (sqsAction ? admitSqs(request, reply, sqsAction, done) : admitSns(request, body ?? {}, done)).catch(
      (error: Error) => {
        if (error instanceof AccessDenied) (sqsAction ? denySqs : denySns)(reply, error);
        else if (error instanceof AwsError) (sqsAction ? refuseSqs : refuseSns)(reply, error);
        else done(error);
      },
    );
  });

  app.addHook("onSend", (request, reply, answer, done) => {
    const refused = refusedOf.get(request) ?? [];
    if (refused.length === 0 || reply.statusCode !== 200 || typeof answer !== "string") return done(null, answer);
    done(null, (sqsActionOf(request) ? withRefusedSqs : withRefusedSns)(answer, refused));
  });
}

function sqsActionOf({ headers }: FastifyRequest): string | undefined {
  return /^AmazonSQS\.(.+)$/.exec(String(headers["x-amz-target"]))?.[1];
}
