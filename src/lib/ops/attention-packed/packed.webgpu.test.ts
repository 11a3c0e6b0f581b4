import { attentionPackedSuite } from './suite.ts';

attentionPackedSuite('webgpu');
