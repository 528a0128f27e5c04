@NullMarked
package dev.weir.loadtest;

import org.jspecify.annotations.NullMarked;
