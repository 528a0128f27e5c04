@NullMarked
package dev.weir.grammar;

import org.jspecify.annotations.NullMarked;
