import { decodesAsFloat64 } from './testing/decode-suite.ts';

decodesAsFloat64('wasm');
