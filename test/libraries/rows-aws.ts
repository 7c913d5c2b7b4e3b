import { startAwsWire } from '../support/servers/aws-wire.ts';
import type { Row, Series } from './row.ts';

const common = {
  app: 'aws-sdk',
  skip: false,
  server: startAwsWire,
  secrets: ['secret-key', 'secret-value', 'secret-access-key'],
} as const;

function calls(method: string, status: string, value: number, error = ''): Series {
  const labels = { rpc_system_name: 'aws-api', rpc_method: method, rpc_response_status_code: status, error_type: error };
  return ['rpc_client_call_duration_seconds', labels, value];
}

const DB = 'db_client_operation_duration_seconds';

const s3: Row = {
  ...common,
  library: 'aws-s3',
  copies: ['@aws-sdk/client-s3'],
  // The key is part of the URL, which the span of the HTTP request tells as it does every URL.
  secrets: ['secret-value', 'secret-access-key'],
  calls: [
    {
      path: 'get',
      answer: 'the content',
      trace: `
        GET server
          S3.GetObject client
            GET client`,
      attributes: {
        'S3.GetObject': {
          'rpc.system.name': 'aws-api',
          'rpc.method': 'S3/GetObject',
          'aws.s3.bucket': 'photos',
          'aws.request_id': 'request-7',
          'cloud.region': 'eu-west-1',
          'http.response.status_code': 200,
        },
      },
    },
    {
      path: 'put',
      trace: `
        GET server
          S3.PutObject client
            PUT client`,
    },
    {
      path: 'callback',
      answer: 'the content',
      trace: `
        GET server
          S3.GetObject client
            GET client`,
    },
    {
      path: 'missing',
      trace: `
        GET server ERROR 500
          S3.GetObject client ERROR NoSuchKey invalid_input
            GET client ERROR 404`,
    },
    {
      path: 'denied',
      trace: `
        GET server ERROR 500
          S3.GetObject client ERROR AccessDenied fatal
            GET client ERROR 403`,
    },
  ],
  metrics: [
    calls('S3/GetObject', '200', 2),
    calls('S3/PutObject', '200', 1),
    calls('S3/GetObject', '404', 1, 'NoSuchKey'),
    calls('S3/GetObject', '403', 1, 'AccessDenied'),
    ['o11y_errors_total', { error_type: 'AccessDenied', error_category: 'fatal' }, 1],
  ],
};

const dynamodb: Row = {
  ...common,
  library: 'aws-dynamodb',
  copies: ['@aws-sdk/client-dynamodb'],
  calls: [
    {
      path: 'get',
      answer: 'Ada',
      trace: `
        GET server
          GetItem customers client
            POST client`,
      attributes: {
        'GetItem customers': {
          'db.system.name': 'aws.dynamodb',
          'db.operation.name': 'GetItem',
          'db.collection.name': 'customers',
          'server.address': '127.0.0.1',
          'aws.request_id': 'request-7',
        },
      },
    },
    {
      path: 'document',
      answer: 'Ada',
      trace: `
        GET server
          GetItem customers client
            POST client`,
    },
    {
      // The first attempt is throttled, which its HTTP span shows; the call works.
      path: 'busy',
      answer: 'Ada',
      trace: `
        GET server
          GetItem busy client
            POST client ERROR 400
            POST client`,
    },
    {
      path: 'nowhere',
      trace: `
        GET server ERROR 500
          GetItem nowhere client ERROR ResourceNotFoundException invalid_input
            POST client ERROR 400`,
    },
    {
      path: 'refused',
      trace: `
        GET server ERROR 500
          PutItem customers client ERROR ConditionalCheckFailedException invalid_input
            POST client ERROR 400`,
    },
  ],
  metrics: [
    [DB, { db_system_name: 'aws.dynamodb', db_operation_name: 'GetItem', db_collection_name: 'customers', error_type: '' }, 2],
    [DB, { db_system_name: 'aws.dynamodb', db_operation_name: 'GetItem', db_collection_name: 'busy', error_type: '' }, 1],
    [DB, { db_operation_name: 'PutItem', error_type: 'ConditionalCheckFailedException' }, 1],
    ['o11y_health_check_status', { check: 'aws.dynamodb 127.0.0.1:PORT' }, 1],
  ],
};

const sending = [
  {
    path: 'send',
    answer: 'm-1',
    trace: `
      GET server
        SQS.SendMessage client
          POST client`,
    attributes: {
      'SQS.SendMessage': {
        'messaging.system': 'aws_sqs',
        'messaging.destination.name': 'orders',
        'rpc.method': 'SQS/SendMessage',
      },
    },
  },
] as const;

const queued = (value: number, error = ''): Series => [
  'messaging_client_sent_messages_total',
  { messaging_system: 'aws_sqs', messaging_destination_name: 'orders', error_type: error },
  value,
];

const sqs: Row = {
  ...common,
  library: 'aws-sqs',
  copies: ['@aws-sdk/client-sqs', 'client-sqs3901'],
  calls: [
    ...sending,
    {
      path: 'batch',
      answer: 1,
      trace: `
        GET server
          SQS.SendMessageBatch client
            POST client`,
    },
  ],
  metrics: [queued(2), queued(1, '_OTHER'), calls('SQS/SendMessage', '200', 1), calls('SQS/SendMessageBatch', '200', 1)],
};

/** The first version whose clients have the class that is wired; SQS spoke XML then. */
const formerSqs: Row = {
  ...common,
  library: 'aws-sqs-2023',
  copies: ['client-sqs3363'],
  calls: [
    ...sending,
    {
      path: 'nowhere',
      trace: `
        GET server ERROR 500
          SQS.SendMessage client ERROR AWS.SimpleQueueService.NonExistentQueue invalid_input
            POST client ERROR 400`,
    },
  ],
  metrics: [
    queued(1),
    calls('SQS/SendMessage', '200', 1),
    calls('SQS/SendMessage', '400', 1, 'AWS.SimpleQueueService.NonExistentQueue'),
  ],
};

export const AWS_ROWS: readonly Row[] = [s3, dynamodb, sqs, formerSqs];
