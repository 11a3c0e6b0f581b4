import { memorySuite } from './memory-suite.ts';

memorySuite('webgpu');
