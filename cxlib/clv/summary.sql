-- One row a customer: what BG/NBD and Gamma-Gamma need to know of the past.
-- $period_days: 1 = purchases of a day are one purchase, 7 = purchases of a calendar week are.
-- $periods_per_unit: periods in one unit of time. Period 0 begins on Monday, 5 January 1970.
-- $until, $calibration_period: the last day, and the last period of the calibration.
-- Sorted within customers, as nearly every row has a period of its own: to merge the rows of a
-- period first would take a table as long as the log.
WITH purchases AS (
    SELECT
        customer_id,
        CAST(FLOOR(
            CAST(DATE_DIFF('day', DATE '1970-01-05', CAST(ordered_at AS DATE)) AS DOUBLE)
            / $period_days
        ) AS INTEGER) AS period,
        CAST(amount AS DOUBLE) AS spend
    FROM transactions
    WHERE CAST(ordered_at AS DATE) <= $until
),

lined_up AS (
    SELECT
        customer_id,
        period,
        spend,
        FIRST_VALUE(period) OVER (PARTITION BY customer_id ORDER BY period) AS first_period,
        LAG(period) OVER (PARTITION BY customer_id ORDER BY period) AS period_before
    FROM purchases
)

SELECT
    customer_id,
    CAST(MIN(first_period) AS BIGINT) AS first_period,
    CAST(SUM(CASE WHEN period > period_before AND period <= $calibration_period THEN 1 ELSE 0 END)
        AS BIGINT) AS frequency,
    CAST(MAX(CASE WHEN period <= $calibration_period THEN period - first_period ELSE 0 END)
        AS DOUBLE) / CAST($periods_per_unit AS DOUBLE) AS recency,
    CAST($calibration_period - MIN(first_period) AS DOUBLE)
        / CAST($periods_per_unit AS DOUBLE) AS "T",
    SUM(CASE WHEN period > first_period AND period <= $calibration_period THEN spend
        ELSE CAST(0 AS DOUBLE) END) AS repeat_spend,
    CAST(SUM(CASE WHEN period > $calibration_period
            AND (period_before IS NULL OR period > period_before) THEN 1 ELSE 0 END)
        AS BIGINT) AS holdout_frequency,
    SUM(CASE WHEN period > $calibration_period THEN spend
        ELSE CAST(0 AS DOUBLE) END) AS holdout_spend
FROM lined_up
GROUP BY 1
