package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TenantCountersTest {
    private final TenantCounters counters = new TenantCounters();

    private void serve(String tenant, int promptTokens, int generatedTokens) {
        counters.waits(tenant);
        counters.admitted(tenant, promptTokens);
        counters.stopsWaiting(tenant);
        for (int i = 0; i < generatedTokens; i++) {
            counters.generated(tenant);
        }
    }

    @Test
    void aPromptsTokenCostsOneAndAGeneratedOneTwo() {
        serve("a", 30, 5);
        assertThat(counters.served("a")).isEqualTo(40);
        assertThat(counters.served("nobody")).isZero();
    }

    @Test
    void whoComesBackStartsNoLowerThanThoseThatWait() {
        serve("a", 100, 0);
        counters.waits("a");
        serve("b", 300, 0);
        counters.waits("b");
        counters.waits("c");
        assertThat(counters.served("c")).isEqualTo(100);
    }

    @Test
    void whoComesBackToAnEmptyQueueStartsWhereTheLastOneServedWas() {
        serve("a", 100, 0);
        serve("a", 50, 0); // served last, at 100
        counters.waits("b");
        assertThat(counters.served("b")).isEqualTo(100);
    }

    @Test
    void idleTimeLowersNoDebt() {
        serve("a", 100, 0);
        serve("b", 10, 0);
        counters.released("a");
        counters.waits("a");
        assertThat(counters.served("a")).isEqualTo(100);
    }

    @Test
    void nothingIsRememberedOnceNobodyIsThere() {
        serve("a", 100, 0);
        serve("b", 10, 0);
        counters.released("a");
        counters.released("b");
        assertThat(counters.tenants()).isZero();
        counters.waits("c");
        assertThat(counters.served("c")).isZero();
    }

    @Test
    void aTenantThatIsNotThereCannotBeCharged() {
        assertThatThrownBy(() -> counters.generated("a")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whoHasAskedLatelyIsRememberedForAThousandArrivals() {
        serve("a", 1, 1);
        assertThat(counters.lately()).isOne();
        for (int i = 0; i < 999; i++) {
            serve("b", 1, 1);
        }
        assertThat(counters.lately()).isEqualTo(2);
        serve("b", 1, 1);
        assertThat(counters.lately()).isOne();
    }
}
