import { formatsSuite } from './formats-suite.ts';

formatsSuite('webgpu');
