@NullMarked
package dev.weir.tokenizer;

import org.jspecify.annotations.NullMarked;
