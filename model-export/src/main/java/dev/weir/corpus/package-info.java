/**
 * A curriculum for small models that is made up from word lists, rules and plots: {@link dev.weir.corpus.Corpus} writes it, a
 * {@code Scribe} makes the choices of one document, and skills are exercises whose answers are known.
 */
@NullMarked
package dev.weir.corpus;

import org.jspecify.annotations.NullMarked;
