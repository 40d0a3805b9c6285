
end

local answer = production()
if next(without_ttl) then
    error('no TTL for ' .. next(without_ttl))
end
return { answer, calls, unpack(keys_told) }
