// The CRM's pages: each module takes the parts of the page it knows.
import { followHash } from "./hash.js";
import { submitOnChange, confirmFirst } from "./forms.js";
import { startDialpad } from "./dialpad.js";
import { startLists } from "./list.js";
import { startLive } from "./live.js";
import { startFrame } from "./frame.js";
import { startBuilder } from "./builder.js";

followHash();
submitOnChange();
confirmFirst();
startDialpad();
startLists();
startLive();
startFrame();
startBuilder();
