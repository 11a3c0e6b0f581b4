import { attentionPackedSuite } from './suite.ts';

attentionPackedSuite('cpu');
attentionPackedSuite('wasm');
