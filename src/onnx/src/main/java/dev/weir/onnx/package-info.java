@NullMarked
package dev.weir.onnx;

import org.jspecify.annotations.NullMarked;
