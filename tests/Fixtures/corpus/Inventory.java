package corpus;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is in stock. */
public final class Inventory {
    private final Map<String, Integer> quantities = new HashMap<>();
    private final Map<String, Long> prices = new HashMap<>();

    public void add(String article, int quantity, long price) {
        if (quantity <= 0) {
            throw new IllegalArgumentException("quantity is not positive: " + quantity);
        }
        if (price < 0) {
            throw new IllegalArgumentException("price is negative: " + price);
        }
        quantities.merge(article, quantity, Integer::sum);
        prices.put(article, price);
    }

    public void remove(String article, int quantity) {
        if (quantity <= 0) {
            throw new IllegalArgumentException("quantity is not positive: " + quantity);
        }
        if (quantity(article) < quantity) {
            throw new IllegalStateException("not enough of " + article);
        }
        quantities.merge(article, -quantity, Integer::sum);
    }

    public int quantity(String article) {
        return quantities.getOrDefault(article, 0);
    }

    public Optional<Long> price(String article) {
        return Optional.ofNullable(prices.get(article));
    }

    public long value() {
        long value = 0;
        for (Map.Entry<String, Integer> entry : quantities.entrySet()) {
            value += entry.getValue() * prices.getOrDefault(entry.getKey(), 0L);
        }
        return value;
    }

    public List<String> articles() {
        return quantities.keySet().stream().sorted().toList();
    }
}
