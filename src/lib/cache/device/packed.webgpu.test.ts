import { packedSuite } from './packed-suite.ts';

packedSuite('webgpu');
