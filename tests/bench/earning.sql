-- The floor beside the rules: what receipts earn, as one who knows the twelve rules by heart would sum it up. It looks at
-- no cap, explains nothing and writes nothing.
with line as materialized (
    select receipt, at at time zone 'America/New_York' as there, tier, is_first, net, quantity, sku, brand,
           category = any (%(fuel)s) as is_fuel,
           net * case when category = any (%(thin)s) then 0.25 when category = any (%(fresh)s) then 1.75 else 1 end as points
      from bench_line where net > 0
), receipt as (
    select receipt, there, tier, is_first, sum(points) as base,
           coalesce(sum(points) filter (where not is_fuel), 0) as base_of_goods,
           coalesce(sum(net) filter (where not is_fuel), 0) as goods,
           coalesce(sum(net) filter (where brand = 'Private' and not is_fuel), 0) as own,
           coalesce(sum(quantity) filter (where sku in ('1082185', '1127831')), 0) as fruit
      from line group by 1, 2, 3, 4
)
select count(*), sum(floor(
           base
           + case when extract(isodow from there) = 3 then base_of_goods else 0 end
           + case tier when 'gold' then base * 0.5 when 'silver' then base * 0.15 else 0 end
           + case when there::time >= '21:00' or there::time < '01:00' then base * 0.333333 else 0 end
           + greatest(case when goods >= 60 then 25 else 0 end, own * 0.75)
           + case when fruit >= 2 then 3 * fruit else 0 end
           + case when is_first then 100 else 0 end))
  from receipt
