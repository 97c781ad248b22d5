-- How many customers of each first period bought in each period; parameters as in summary.sql.
WITH purchases AS (
    SELECT DISTINCT
        customer_id,
        CAST(FLOOR(
            CAST(DATE_DIFF('day', DATE '1970-01-05', CAST(ordered_at AS DATE)) AS DOUBLE)
            / $period_days
        ) AS BIGINT) AS period
    FROM transactions
    WHERE CAST(ordered_at AS DATE) <= $until
),

firsts AS (
    SELECT customer_id, MIN(period) AS first_period
    FROM purchases
    GROUP BY 1
)

SELECT first_period, period, COUNT(*) AS purchases
FROM purchases
INNER JOIN firsts ON purchases.customer_id = firsts.customer_id
GROUP BY 1, 2
ORDER BY 1, 2
