// Starts every module; each one finds its parts of the page.
import { redirectLegacyURL } from "./legacy_urls.js";
import { submitOnChange, confirmSubmit } from "./forms.js";
import { startDialpad } from "./dialpad_app.js";
import { startLists } from "./record_list.js";
import { startLive } from "./live_parts.js";
import { startFrame } from "./app_frame.js";
import { startBuilder } from "./automation_builder.js";

redirectLegacyURL();
submitOnChange();
confirmSubmit();
startDialpad();
startLists();
startLive();
startFrame();
startBuilder();
