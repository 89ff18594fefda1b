"""The function with Powertools: its data classes, and its idempotency, which writes twice an event."""

import os

from aws_lambda_powertools.utilities.data_classes import (
    KinesisFirehoseDataTransformationRecord as Answer,
    KinesisFirehoseDataTransformationRecordMetadata as Metadata,
    KinesisFirehoseDataTransformationResponse as Response,
    KinesisFirehoseEvent,
    event_source,
)
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.serialization import base64_from_str

from event import enrich, identity, write

TABLE = os.environ.get("EVENT_CACHE_TABLE_NAME")
by_identity = IdempotencyConfig(
    expires_after_seconds=86400,
    response_hook=lambda stored, record: False,  # an answer that was stored before: no new event
)


@event_source(data_class=KinesisFirehoseEvent)
def handler(request, context):
    by_identity.register_lambda_context(context)
    response, seen = Response(), set()
    for record in request.records:
        response.add_record(transform(record, seen))
    return response.asdict()


def transform(record, seen):
    try:
        event = record.data_as_json
        keys = enrich(event)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return Answer(record.record_id, "ProcessingFailed")
    if not is_new(identity(event), seen):
        return Answer(record.record_id, "Dropped")
    return Answer(record.record_id, "Ok", base64_from_str(write(event)), Metadata(keys))


def is_new(name, seen):
    if name in seen:
        return False
    seen.add(name)
    return TABLE is None or claim(name=name)


def claim(name):
    return True


if TABLE:
    claim = idempotent_function(
        data_keyword_argument="name",
        persistence_store=DynamoDBPersistenceLayer(table_name=TABLE),
        config=by_identity,
    )(claim)
