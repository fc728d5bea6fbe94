import { flows } from "./flows";
import { Relay } from "./relay";
import { describeRights, fast } from "./rights";

describeRights("the stack dev", () => Relay.start(fast), flows);
