import { type PropertyResult, runProperty } from "../tests/support/property/run";
import { answer } from "./childProcess";

export interface PropertyRequest {
  messages: number;
  seed: number;
}

answer<PropertyRequest, PropertyResult>(runProperty);
