import { decoderSuite } from './decoder-suite.ts';

decoderSuite('cpu');
decoderSuite('wasm');
