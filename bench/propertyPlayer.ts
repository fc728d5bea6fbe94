import { type PropertyResult, runProperty } from "../tests/property/run";
import { answer } from "./childProcess";

export interface PropertyRequest {
  messages: number;
  seed: number;
}

answer<PropertyRequest, PropertyResult>(runProperty);
