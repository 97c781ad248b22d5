-- Purchases less their returns. A customer's purchases lie on a stack and a return takes from its
-- top: the running balance, never below ground, is the height of the stack, and what is left of a
-- purchase is the part of its layer that lies under every later height. Purchases of a moment come
-- before its returns. Calibration and holdout (period > $calibration_period) have a stack each:
-- a return of the holdout must not change what was known before it.
WITH flow AS (
    SELECT
        customer_id,
        ordered_at,
        CASE WHEN FLOOR(
            CAST(DATE_DIFF('day', DATE '1970-01-05', CAST(ordered_at AS DATE)) AS DOUBLE)
            / $period_days
        ) > $calibration_period THEN 1 ELSE 0 END AS part,
        CASE WHEN amount < 0 THEN 1 ELSE 0 END AS is_return,
        SUM(CAST(amount AS DECIMAL(38, 6))) AS money
    FROM given
    WHERE amount <> 0 AND CAST(ordered_at AS DATE) <= $until
        AND customer_id IN (SELECT customer_id FROM given WHERE amount < 0)
    GROUP BY 1, 2, 3, 4
),

running AS (
    SELECT *, SUM(money) OVER (
        PARTITION BY customer_id, part ORDER BY ordered_at, is_return
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS balance
    FROM flow
),

grounded AS (
    SELECT *, LEAST(0, MIN(balance) OVER (
        PARTITION BY customer_id, part ORDER BY ordered_at, is_return
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS ground
    FROM running
),

levels AS (
    SELECT
        *,
        COALESCE(LAG(balance - ground) OVER (
            PARTITION BY customer_id, part ORDER BY ordered_at, is_return), 0) AS level_before,
        MIN(balance - ground) OVER (
            PARTITION BY customer_id, part ORDER BY ordered_at, is_return
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS lowest_after
    FROM grounded
)

SELECT customer_id, ordered_at, CAST(lowest_after - level_before AS DOUBLE) AS amount
FROM levels
WHERE money > 0 AND lowest_after > level_before
UNION ALL
SELECT customer_id, ordered_at, CAST(amount AS DOUBLE) AS amount
FROM given
WHERE amount = 0 OR amount > 0 AND (
    CAST(ordered_at AS DATE) > $until
    OR customer_id NOT IN (SELECT customer_id FROM given WHERE amount < 0))
