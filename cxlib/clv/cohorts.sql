-- What the customers of each cohort did at each age, both in steps of $months calendar months.
-- Step 0 begins in January of the year 0.
WITH orders AS (
    SELECT
        customer_id,
        CAST(FLOOR(CAST(
            EXTRACT(YEAR FROM CAST(ordered_at AS DATE)) * 12
            + EXTRACT(MONTH FROM CAST(ordered_at AS DATE)) - 1 AS DOUBLE) / $months) AS BIGINT)
            AS step,
        CAST(ordered_at AS DATE) AS day,
        CAST(amount AS DOUBLE) AS amount
    FROM transactions
    WHERE CAST(ordered_at AS DATE) <= $until
),

steps AS (
    SELECT customer_id, step, COUNT(DISTINCT day) AS purchases, SUM(amount) AS spend
    FROM orders
    GROUP BY 1, 2
),

firsts AS (
    SELECT customer_id, MIN(step) AS cohort
    FROM steps
    GROUP BY 1
)

SELECT
    firsts.cohort AS cohort,
    steps.step - firsts.cohort AS age,
    COUNT(*) AS active,
    CAST(SUM(steps.purchases) AS BIGINT) AS purchases,
    SUM(steps.spend) AS spend
FROM steps
INNER JOIN firsts ON steps.customer_id = firsts.customer_id
GROUP BY 1, 2
ORDER BY 1, 2
