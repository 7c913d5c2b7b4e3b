/** What of the input of a command names a thing and not a value: tables, queues, topics and buckets. */
export interface Named {
  readonly table?: string;
  readonly bucket?: string;
  /** Queue or topic, with how many messages are sent to it. */
  readonly destination?: { readonly system: 'aws_sqs' | 'aws.sns'; readonly name: string; readonly messages: number };
}

type Input = Readonly<Record<string, unknown>>;

/** @param service as its `serviceId` is written. Nothing about the input is certain; anything else is nothing. */
export function namesIn(service: string, operation: string, input: unknown): Named {
  if (typeof input !== 'object' || input === null) return {};
  const given = input as Input;
  switch (service) {
    case 'DynamoDB':
      return { table: tableOf(given) };
    case 'S3':
      return { bucket: text(given.Bucket) };
    case 'SQS':
      return { destination: sent('aws_sqs', text(given.QueueUrl)?.split('/').at(-1), operation, given.Entries) };
    case 'SNS':
      return {
        destination: sent('aws.sns', text(given.TopicArn)?.split(':').at(-1), operation, given.PublishBatchRequestEntries),
      };
    default:
      return {};
  }
}

/** Of the calls about one table; a batch or a transaction may be about several. */
function tableOf({ TableName, RequestItems }: Input): string | undefined {
  if (TableName !== undefined) return text(TableName)?.split('/').at(-1);
  const tables = typeof RequestItems === 'object' && RequestItems !== null ? Object.keys(RequestItems) : [];
  return tables.length === 1 ? tables[0] : undefined;
}

const SENDING = new Set(['SendMessage', 'SendMessageBatch', 'Publish', 'PublishBatch']);

function sent(
  system: 'aws_sqs' | 'aws.sns',
  name: string | undefined,
  operation: string,
  entries: unknown,
): Named['destination'] {
  if (!name) return undefined;
  return { system, name, messages: SENDING.has(operation) ? (Array.isArray(entries) ? entries.length : 1) : 0 };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, 255) : undefined;
}
