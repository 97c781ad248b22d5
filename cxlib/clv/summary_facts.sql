-- What must be known of the transactions before they are summed up.
SELECT
    COUNT(*) AS rows_read,
    COUNT(*) - COUNT(customer_id) AS no_customer,
    COUNT(*) - COUNT(ordered_at) AS no_date,
    SUM(CASE WHEN amount IS NULL OR amount <> amount THEN 1 ELSE 0 END) AS no_amount,
    SUM(CASE WHEN amount < 0 THEN 1 ELSE 0 END) AS negative,
    MIN(amount) AS smallest,
    MAX(CASE WHEN amount = amount THEN amount END) AS largest,
    MIN(CAST(ordered_at AS DATE)) AS first_day,
    MAX(CAST(ordered_at AS DATE)) AS last_day
FROM transactions
