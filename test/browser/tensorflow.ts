// TensorFlow.js with the backend webgl, as `@tensorflow/tfjs` exports it to pages.

import '@tensorflow/tfjs-backend-webgl';

export * from '../support/tensorflow.js';
