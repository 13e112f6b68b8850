// Preloaded, it puts the package below in the place of @picovoice/pvrecorder-node.
import { register } from 'node:module';

register('./resolve.mjs', import.meta.url);
