import protobuf from "protobufjs";

/** SessionLog.START of TensorFlow's event.proto. */
export const SESSION_START = 1;

/** What is needed of TensorFlow's Event message. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  wallTime: number;
  step?: number;
  /** Of the first event of a file. */
  fileVersion?: string;
  summary?: { value: { tag: string; simpleValue: number }[] };
  sessionLog?: { status: number };
}

// Field numbers: tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { type: "double", id: 1 },
        step: { type: "int64", id: 2 },
        fileVersion: { type: "string", id: 3 },
        summary: { type: "Summary", id: 5 },
        sessionLog: { type: "SessionLog", id: 7 },
      },
    },
    Summary: { fields: { value: { rule: "repeated", type: "Value", id: 1 } } },
    Value: { fields: { tag: { type: "string", id: 1 }, simpleValue: { type: "float", id: 2 } } },
    SessionLog: { fields: { status: { type: "int32", id: 1 } } },
  },
});
const eventType = root.lookupType("Event");

/** The bytes of an event. */
export function encodeEvent(event: TensorBoardEvent): Uint8Array {
  return eventType.encode(eventType.create(event)).finish();
}
