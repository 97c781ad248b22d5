-- What must be known of the transactions before they are summed up.
SELECT
    COUNT(*) AS rows_read,
    COUNT(*) - COUNT(customer_id) AS no_customer,
    COUNT(*) - COUNT(ordered_at) AS no_date,
    SUM(CASE WHEN amount IS NULL OR CAST(amount AS DOUBLE) = CAST('NaN' AS DOUBLE)
        THEN 1 ELSE 0 END) AS no_amount,
    SUM(CASE WHEN CAST(amount AS DOUBLE) = CAST('Infinity' AS DOUBLE) THEN 1 ELSE 0 END)
        AS infinite,
    SUM(CASE WHEN amount < 0 THEN 1 ELSE 0 END) AS negative,
    SUM(CASE WHEN CAST(ordered_at AS DATE) > $until THEN 1 ELSE 0 END) AS after_until,
    SUM(CASE WHEN CAST(ordered_at AS DATE) <= $until THEN CAST(amount AS DOUBLE)
        ELSE CAST(0 AS DOUBLE) END) AS total,
    MIN(amount) AS smallest,
    MIN(CAST(ordered_at AS DATE)) AS first_day,
    MAX(CAST(ordered_at AS DATE)) AS last_day
FROM transactions
