package dev.weir.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.tokenizer.ChatTemplate.Message;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What templates mean, piece by piece. The expected texts are those of Python's Jinja with Hugging Face's settings. */
final class JinjaTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2025-01-02T15:04:05Z"), ZoneOffset.UTC);
    private static final List<Message> TALK = List.of(
            new Message("system", " Be kind. "),
            new Message("user", "one"),
            new Message("assistant", "two"),
            new Message("user", "three\n"));

    @Test
    void lineBreaksAfterTagsAndSpaceBeforeThemAreDropped() {
        assertRenders("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc");
        assertRenders("  {% set x = 1 %}\n{{ x }}\n", "1");
        assertRenders("{{ 1 }} {% if true %}b{% endif %} \n", "1 b ");
        assertRenders("Q: {% if true %}b{% endif %}", "Q: b");
        assertRenders("{# note #}\n  {# note #}\nb", "b");
        assertRenders("{{ 1 }}\n{{ 2 }}\n\n", "1\n2\n");
        assertRenders("a\r\n{% if true %}\r\nb{% endif %}\rc", "a\nbc");
    }

    @Test
    void minusDropsAllWhiteSpaceOnItsSideAndPlusKeepsIt() {
        assertRenders("a \n {%- if true -%} \n b \n {%- endif -%} \n c", "abc");
        assertRenders("a \n {{- 1 -}} \n c", "a1c");
        assertRenders("a \n {#- note -#} \n c", "ac");
        assertRenders("a\n  {%+ if true +%}\nb{% endif %}", "a\n  \nb");
        assertRenders("{{ -1 }}{{- 1 }}", "-11");
    }

    @Test
    void delimitersInStringsAndNestedBracesAreNotDelimiters() {
        assertRenders("{{ '}}' }}{{ \"%}\" }}{{ '{{' }}{{ {'a': {'b': 1}}.a.b }}", "}}%}{{1");
        assertRenders("a } }} %} #} { b", "a } }} %} #} { b");
    }

    @Test
    void escapesInStringsArePythons() {
        assertRenders("{{ 'a\\n\\tb\\\\n\\'' \"\\\"'\" }}", "a\n\tb\\n'\"'");
        assertRenders("{{ '\\x41\\u2581\\U0001F642\\q' }}{{ 'x\ny' }}", "A\u2581\ud83d\ude42\\qx\ny");
    }

    @Test
    void operatorsBindAsInPython() {
        assertRenders(
                "{{ 2 + 3 * 4 }} {{ (2 + 3) * 4 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 - -3 }}",
                "14 20 3 -4 2 5");
        assertRenders("{{ 'a' ~ 1 ~ true ~ none ~ nothing }}{{ 'x' + 'y' * 2 }}", "a1TrueNonexyy");
        assertRenders(
                "{{ not 1 == 2 }} {{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 == '1' }} {{ 1 == true }}",
                "True True False False True");
        assertRenders("{{ '' or 'b' }} {{ 'a' and 'b' }} {{ 0 and x.y }} {{ true or x.y }}", "b b 0 True");
        assertRenders(
                "{{ 'b' in 'abc' }} {{ 'b' not in ['a'] }} {{ 'role' in messages[0] }} {{ 2 in (1, 2) }}",
                "True True True True");
        assertRenders("{{ 'a' if messages | length > 9 else 'b' if 0 else 'c' }}{{ 'd' if false }}", "c");
        assertRenders("{{ [1, 2] == [1, 2] }} {{ {'a': 1} == {'a': 2} }} {{ none == x }}", "True False False");
    }

    @Test
    void filtersBindTighterThanOperators() {
        assertRenders("{{ 'a ' + ' b ' | trim + ' c' }}", "a b c");
        assertRenders("{{ '<' ~ messages[0].content | trim | upper ~ '>' }}", "<BE KIND.>");
    }

    @Test
    void itemsAndSlicesCountFromEitherEnd() {
        assertRenders("{{ messages[-1].content }}{{ messages[0]['role'] }}{{ messages.1.role }}", "three\nsystemuser");
        assertRenders(
                "{{ messages[1:] | length }}{{ messages[-2:][0].role }}{{ messages[:1] | length }}", "3assistant1");
        assertRenders("{% for m in messages[::-1] %}{{ m.role[0] }}{% endfor %}", "uaus");
        assertRenders(
                "{{ 'abcdef'[1:4] }} {{ 'abcdef'[::-2] }} {{ 'abcdef'[4:1:-1] }} {{ 'abc'[9:] }} {{ 'abc'[-9:2] }}",
                "bcd fdb edc  ab");
        assertRenders("{{ 'abc'[1::9223372036854775807] }}{{ [1, 2][::-9223372036854775807] | join }}", "b2");
        assertRenders("{{ '\ud83d\ude42ab'[:2] }}{{ '\ud83d\ude42ab'[-3] }}", "\ud83d\ude42a\ud83d\ude42");
        assertRenders("{{ '\ud83d\ude42ab'[1] }}{{ '\ud83d\ude42' | length }}", "a1");
    }

    @Test
    void loopsKnowWhereTheyAre() {
        assertRenders(
                "{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{% if loop.first %}F{% elif loop.last %}L{% endif %} {% endfor %}",
                "104F 213 322 431L ");
        assertRenders(
                "{% for m in messages if m.role == 'user' %}{{ loop.index }}/{{ loop.length }} {% endfor %}",
                "1/2 2/2 ");
        assertRenders(
                "{% for m in messages %}{{ loop.previtem.role if not loop.first else '-' }}>{{ loop.nextitem.role if not loop.last }} {% endfor %}",
                "->user system>assistant user>user assistant> ");
        assertRenders("{% for x in [] %}x{% else %}none{% endfor %}{% for x in nothing %}x{% endfor %}", "none");
        assertRenders(
                "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}{% for k in {'c': 1} %}{{ k }}{% endfor %}",
                "a1b2c");
        assertRenders(
                "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
                "02");
        assertRenders(
                "{% for i in range(2) %}{% for j in range(5, 0, -2) %}{% if j < 5 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
                "05 15 ");
    }

    @Test
    void whatALoopSetsIsForgottenAndANamespaceRemembers() {
        assertRenders("{% set x = 1 %}{% for i in range(3) %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}", "2221");
        assertRenders(
                "{% set ns = namespace(n=1) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
                "4");
        assertRenders("{% if true %}{% set x = 5 %}{% endif %}{{ x }}", "5");
        assertRenders("{% set a, b = 'x', 'y' %}{{ b }}{{ a }}{% set t %}<{{ a }}>{% endset %}{{ t }}", "yx<x>");
    }

    @Test
    void macrosTakeArgumentsByPlaceAndByName() {
        assertRenders(
                "{% macro f(a, b='q') %}{{ a }}{{ b }}{{ messages | length }} {% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(b=3) }}",
                "1q4 124 34 ");
        assertRenders("{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "3210");
    }

    @Test
    void textHasPythonsMethods() {
        assertRenders("{{ ' a '.strip() }}{{ 'xax'.strip('x') }}{{ ' a'.lstrip() }}{{ 'a\n'.rstrip('\n') }}", "aaaa");
        assertRenders(
                "{{ 'a.b|c'.split('.')[-1].split('|')[0] }}{{ ' a  b '.split() | join('-') }}{{ 'a b c'.split(' ', 1)[1] }}",
                "ba-bb c");
        assertRenders(
                "{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith(('x', 'c')) }}{{ 'abc'.removeprefix('a').removesuffix('c') }}",
                "TrueTrueb");
        assertRenders("{{ 'aXa'.replace('a', 'bb') }}{{ ', '.join(['a', 'b']) }}", "bbXbba, b");
        assertRenders(
                "{{ 'aB'.upper() }}{{ 'aB'.lower() }}{{ 'they\\'re'.title() }}{{ 'they\\'re' | title }}{{ 'aB' | capitalize }}",
                "ABabThey'ReThey'reAb");
    }

    @Test
    void filtersSelectAndChangeLists() {
        assertRenders(
                "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | map('trim') | join('|') }}",
                "one|three");
        assertRenders(
                "{{ messages | rejectattr('role', 'in', ['user']) | list | length }}{{ messages | selectattr('name', 'defined') | list | length }}",
                "20");
        assertRenders(
                "{{ (messages | first).role }}{{ (messages | last)['role'] }}{{ [1, 2, 3] | select('odd') | join }}{{ 'abc' | reverse }}",
                "systemuser13cba");
        assertRenders(
                "{{ nothing | default('d') }}{{ '' | default('d') }}{{ '' | d('e', true) }}{{ none | d('f') }}",
                "deNone");
        assertRenders(
                "{{ '7' | int + 1 }}{{ 'x' | int }}{{ 'aba' | replace('a', 'c') }}{{ {'B': 1, 'a': 2} | dictsort | map('first') | join }}",
                "80cbcaB");
        assertRenders("{{ tools | selectattr('x') | list | length }}", "0");
    }

    @Test
    void testsTellTypesApart() {
        assertRenders(
                "{{ tools is none }} {{ tools is defined }} {{ x is defined }} {{ x is none }} {{ x is undefined }}",
                "True True False False True");
        assertRenders(
                "{{ 'a' is string }} {{ messages is iterable }} {{ messages is mapping }} {{ messages[0] is mapping }} {{ 1 is number }}",
                "True True False True True");
        assertRenders(
                "{{ 3 is odd and 4 is even and 6 is divisibleby 3 and true is boolean and 'a' is not none and 1 is eq 1 }}",
                "True");
        assertRenders("{{ messages[0].name is not defined and messages is not string }}", "True");
    }

    @Test
    void jsonIsWrittenAsPythonWritesIt() {
        assertRenders(
                "{{ {'a': [1, true, none], 'b': '\u00e9\"\n'} | tojson }}",
                "{\"a\": [1, true, null], \"b\": \"\u00e9\\\"\\n\"}");
        assertRenders(
                "{{ {'a': [1, {}], 'b': []} | tojson(indent=2) }}",
                "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
        assertRenders(
                "{{ '<&\u00e9>' | tojson }}{{ '\u00e9' | tojson(ensure_ascii=true) }}", "\"<&\u00e9>\"\"\\u00e9\"");
    }

    @Test
    void timeIsWrittenAsAsked() {
        assertRenders(
                "{{ strftime_now('%d %b %Y, %A %-d %B, %H:%M:%S %I %p %j %%') }}",
                "02 Jan 2025, Thursday 2 January, 15:04:05 03 PM 002 %");
    }

    @Test
    void whatIsNotThereIsEmptyUntilItIsUsed() {
        assertRenders(
                "[{{ x }}{{ messages[9] }}{{ messages[0].name }}{{ messages[0].__class__ }}{% if x %}y{% endif %}{{ x | length }}]",
                "[0]");
        for (String use :
                new String[] {"x.y", "x + 'a'", "'a' + x", "x()", "x[0]", "x < 1", "messages[0].content.getClass()"}) {
            assertThatThrownBy(() -> render("\n{{ " + use + " }}"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageMatching("line 2: (\"x\" is undefined|a str has no \"getClass\")");
        }
    }

    @Test
    void whatHasNoValueIsRefusedWithItsLine() {
        Map<String, String> complaints = Map.of(
                "{{ 'a' + 1 }}", "a str and an int cannot be added",
                "{{ 1 // 0 }}", "1 and 0 cannot be divided",
                "{{ messages }}", "a list cannot be written out; tojson writes lists and dicts",
                "{% for x in 5 %}{% endfor %}", "an int has no items to go through",
                "{{ 'a' | shout }}", "the filter \"shout\" is not supported",
                "{{ 'a' is loud }}", "the test \"loud\" is not supported",
                "{{ 'a' | replace('b') }}", "replace needs the argument \"new\"",
                "{{ strftime_now('%Q') }}", "strftime_now does not know \"%Q\"",
                "{% set x.y = 1 %}", "\"x\" is no namespace, so its attributes cannot be set",
                "{% for a, b in [[1]] %}{% endfor %}", "1 values cannot be given to 2 variables");
        complaints.forEach((template, complaint) -> assertThatThrownBy(() -> render("\n\n" + template))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("line 3: " + complaint));
    }

    @Test
    void syntaxErrorsAreRefusedWithTheirLine() {
        Map<String, String> complaints = Map.ofEntries(
                Map.entry("{% if x %}", "\"if\" is not closed: \"endif\" is missing"),
                Map.entry("{% for x in y %}{% else %}", "\"for\" is not closed: \"endfor\" is missing"),
                Map.entry("{% endif %}", "the tag \"endif\" is not known here"),
                Map.entry("{% include 'x' %}", "the tag \"include\" is not known here"),
                Map.entry("{% break %}", "\"break\" is not in a loop"),
                Map.entry("{{ 1 + }}", "there is \"}}\" where an expression is expected"),
                Map.entry("{{ a b }}", "there is \"b\" where \"}}\" is expected"),
                Map.entry("{% if a == %}x{% endif %}", "there is \"%}\" where an expression is expected"),
                Map.entry("{{ x", "\"}}\" is missing"),
                Map.entry("{{ 'x }}", "a string is not closed: ' is missing"),
                Map.entry("{{ (1] }}", "\"]\" closes nothing"),
                Map.entry("{{ a ? b }}", "\"?\" means nothing here"),
                Map.entry("{{ 1.5 }}", "1.5 is not an int, and only ints are supported"),
                Map.entry("{{ '\\xz1' }}", "an escape has \"z1\" where a character's number belongs"),
                Map.entry("{# x", "a comment is not closed: \"#}\" is missing"),
                Map.entry(
                        "{{ f(a=1, 2) }}",
                        "there is \"2\" where an argument with a name, as the one before, is expected"));
        complaints.forEach((template, complaint) -> assertThatThrownBy(() -> parse("\n{{ 1 }}\n" + template))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("line 3: " + complaint));
    }

    @Test
    void brokenTemplatesEndInAnErrorAndNotInAFullMemoryOrForever() {
        Map<String, String> complaints = Map.of(
                "{% set ns = namespace(t='xy') %}{% for i in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
                        "line 1: the template makes a text of more than 8388608 characters",
                "{{ 'xxxxxxxx' * 10000000000 }}", "line 1: the template makes a text of more than 8388608 characters",
                "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
                        "line 1: the template does not come to an end within 200000 steps",
                "{% for i in range(100000000) %}{% endfor %}", "line 1: a list has more than 100000 items",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "the template calls itself too often");
        complaints.forEach((template, complaint) -> assertThatThrownBy(() -> render(template))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(complaint));
        assertThatThrownBy(() -> parse("{{ " + "(".repeat(20_000) + 1 + ")".repeat(20_000) + " }}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the template nests too deeply");
    }

    private static ChatTemplate parse(String template) {
        return ChatTemplate.parse(template, Map.of("bos_token", "<s>"), CLOCK);
    }

    private static String render(String template) {
        return parse(template).render(TALK, false).toString();
    }

    private static void assertRenders(String template, String expected) {
        assertThat(render(template)).as(template).isEqualTo(expected);
    }
}
