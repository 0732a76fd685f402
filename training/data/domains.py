"""Domains as data: the fields of a record and the sentences that speak of them.

A field line is `name|alias|alias ; kind ; sentence ; sentence`, where `{}` in a
sentence stands for the value. A domain sentence uses `{field}` for several fields at
once (spaces in a field's first name become underscores). Domains in `HELD_OUT` are never
trained on: they, their field names and their sentences appear in the evaluation only.
"""

from dataclasses import dataclass
from typing import Callable

from . import values as v

KINDS: dict[str, Callable] = {
    "name": v.name, "first": v.first_name, "last": v.last_name, "company": v.company, "city": v.city,
    "country": v.country, "street": v.street, "email": v.email, "phone": v.phone, "url": v.url, "path": v.path,
    "ip": v.ip, "uuid": v.uuid, "hex": v.hexcode, "code": v.code, "digits": v.digit_code, "word": v.one_word,
    "cap": v.capital_word, "title": v.title, "phrase": v.phrase, "job": v.job, "product": v.product,
    "color": v.color, "currency": v.currency, "int": v.any_whole, "small": v.whole(1, 12), "age": v.whole(1, 99),
    "count": v.whole(1, 500), "year": v.whole(1950, 2035), "big": v.whole(1000, 500000), "decimal": v.decimal,
    "price": v.price, "percent": v.percent, "rating": v.rating, "bool": v.boolean, "date": v.date, "time": v.time,
    "datetime": v.datetime_, "weekday": v.weekday, "words": v.several(v.one_word), "names": v.several(v.name),
    "caps": v.several(v.capital_word), "codes": v.several(v.code), "cities": v.several(v.city),
    "products": v.several(v.product), "titles": v.several(v.title), "level": v.choice("debug", "info", "warn", "error"),
    "priority": v.choice("low", "medium", "high", "urgent"), "order_status": v.choice("pending", "shipped", "delivered", "cancelled"),
    "size": v.choice("small", "medium", "large"), "method": v.choice("GET", "POST", "PUT", "DELETE"),
    "state": v.choice("open", "closed", "in_progress", "blocked"), "class": v.choice("economy", "business", "first"),
    "difficulty": v.choice("easy", "medium", "hard"), "pay": v.choice("cash", "credit_card", "bank_transfer", "paypal"),
    "genre": v.choice("fiction", "science", "history", "poetry", "travel"), "severity": v.choice("minor", "major", "critical"),
    "contract": v.choice("full-time", "part-time", "contract", "internship"), "blood": v.choice("A", "B", "AB", "O"),
    "power": v.choice("on", "off", "standby"), "verdict": v.choice("approve", "request_changes", "comment"),
    "fuel": v.choice("petrol", "diesel", "electric", "hybrid"), "condition": v.choice("new", "used", "refurbished"),
}


@dataclass(frozen=True)
class Field:
    names: tuple[str, ...]
    kind: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    name: str
    fields: tuple[Field, ...]
    sentences: tuple[str, ...]


def parse(text: str) -> dict[str, Domain]:
    """Read the blocks below: `= domain`, then field lines, then `>` sentence lines."""
    domains = {}
    for block in text.strip().split("\n= "):
        lines = [line.strip() for line in block.lstrip("= ").split("\n") if line.strip()]
        fields, sentences = [], []
        for line in lines[1:]:
            if line.startswith(">"):
                sentences.append(line[1:].strip())
                continue
            parts = [part.strip() for part in line.split(" ; ")]
            fields.append(Field(tuple(parts[0].split("|")), parts[1], tuple(parts[2:])))
        domains[lines[0]] = Domain(lines[0], tuple(fields), tuple(sentences))
    return domains


TRAINED = parse("""
= person
name|full name|person ; name ; The name is {}. ; This is {}. ; My name is {}.
first name|given name|forename ; first ; First name: {}.
last name|surname|family name ; last ; The family name is {}.
age|age in years ; age ; Aged {}. ; {} years old. ; The age is {}.
email|email address|e-mail|mail ; email ; Write to {}. ; Email: {}. ; Reachable at {}.
phone|phone number|telephone|mobile|tel ; phone ; Call {}. ; The phone number is {}.
city|town|home town ; city ; Lives in {}. ; Based in {}.
country|nation ; country ; From {}. ; The country is {}.
job title|job|occupation|profession|role ; job ; Works as {}. ; Profession: {}.
company|employer|organization ; company ; Works at {}. ; Employed by {}.
birth date|date of birth|born|birthday|dob ; date ; Born on {}.
married|is married ; bool ; Married: {}.
hobbies|interests ; words ; Likes {}. ; Hobbies are {}.
website|homepage|site ; url ; See {}.
> {name}, {age}, {email}
> {name}, {age}
> {name} <{email}>
> {name} ({age}) lives in {city}.
> {name} is {age} years old and lives in {city}, {country}.
> Hi, I'm {name}, I work as {job_title} at {company}.
> You can reach {name} at {email} or {phone}.
> {name}, {job_title} at {company}, born {birth_date}.
> Please add {name} ({email}) to the list.
> {first_name} {last_name}, {age}, {city}
= order
order id|order number|order no|order|id ; code ; Order {}. ; The order number is {}.
customer|customer name|buyer|client ; name ; Ordered by {}. ; The customer is {}.
product|item|article ; product ; Item: {}. ; They bought {}.
quantity|qty|amount|count ; small ; Quantity {}. ; {} pieces.
total|total price|order total|grand total ; price ; Total {}. ; The total is {}. ; It comes to {}.
currency|currency code ; currency ; Paid in {}.
status|order status ; order_status ; Status: {}. ; The order is {}.
order date|date|ordered on|placed on ; date ; Placed on {}.
shipping address|ship to|delivery address ; street ; Ship to {}.
payment method|payment|paid by ; pay ; Paid by {}.
gift|is gift|gift wrap ; bool ; Gift: {}.
items|products|line items ; products ; Items: {}.
> Order {order_id} from {customer}: {quantity} x {product}, total {total}.
> {customer} ordered {quantity} {product} for {total} on {order_date}.
> Hello, my order {order_id} of {order_date} is still {status}.
> Your order {order_id} has been {status}. We charged {total}.
> {quantity}x {product} - {total}
= event
title|event|event name|event title ; title ; The event is called {}. ; {} is coming up.
date|event date|when|day ; date ; It is on {}. ; Save the date: {}.
start time|starts at|start|from ; time ; Starts at {}. ; Doors open at {}.
end time|ends at|end|until ; time ; Ends at {}.
location|venue|place|where ; company ; At {}. ; The venue is {}.
city|town ; city ; In {}.
organizer|host|organised by ; name ; Hosted by {}. ; The organizer is {}.
attendees|guests|participants ; names ; Guests: {}. ; With {}.
capacity|seats|max attendees ; count ; {} seats.
ticket price|price|entry fee ; price ; Tickets cost {}.
online|is online|virtual ; bool ; Online: {}.
> {title} on {date} at {start_time} in {city}.
> Meeting "{title}" with {attendees} on {date}, {start_time} to {end_time}.
> Join us for {title} at {location}, {city}, on {date}.
> {organizer} invites you to {title} on {date}.
= ticket
ticket id|ticket|ticket number|case id|case ; code ; Ticket {}. ; The case is {}.
subject|summary|issue|topic ; phrase ; Subject: {}. ; It is about {}.
priority|urgency ; priority ; Priority is {}. ; This is {} priority.
status|state ; state ; Currently {}. ; The status is {}.
reporter|reported by|requester|opened by ; name ; Reported by {}. ; Opened by {}.
assignee|assigned to|owner|agent ; name ; Assigned to {}. ; {} takes care of it.
created at|created|opened at|opened ; datetime ; Created {}.
email|contact|contact email ; email ; Contact: {}.
tags|labels ; words ; Tags: {}.
product|component|module ; cap ; It concerns {}. ; Component {}.
escalated|is escalated ; bool ; Escalated: {}.
> Ticket {ticket_id} ({priority}): {subject}
> {reporter} reports: {subject}. Priority {priority}.
> [{ticket_id}] {subject} - assigned to {assignee}
> {reporter} wrote from {email} about {subject}.
= product
name|product name|product|title ; product ; This is the {}. ; Meet the {}.
sku|item number|product code|article number ; code ; SKU {}. ; Item number {}.
price|unit price|cost|retail price ; price ; It costs {}. ; Now only {}. ; Price: {}.
currency ; currency ; Prices are in {}.
brand|manufacturer|maker ; cap ; Made by {}. ; The brand is {}.
color|colour ; color ; Color: {}. ; It comes in {}.
colors|available colors ; words ; Available in {}.
weight|weight kg|weight in kg ; decimal ; Weighs {} kg.
stock|in stock|units in stock|inventory ; count ; {} left in stock.
rating|stars|score ; rating ; Rated {}.
available|is available|in production ; bool ; Available: {}.
size ; size ; Size {}.
category|department|section ; word ; In the {} category.
> The {name} by {brand} costs {price}.
> {name} ({sku}), {color}, {price}
> New: {name} in {color}, {weight} kg, only {price}!
> {brand} {name}, {price}, {stock} in stock
= address
street|street address|address|address line ; street ; The street is {}. ; Deliver to {}.
city|town|locality ; city ; City: {}.
zip|zip code|postal code|postcode ; digits ; ZIP {}. ; The postal code is {}.
state|region|province ; cap ; State of {}.
country ; country ; Country: {}.
recipient|addressee|attention|name ; name ; For {}. ; Attention {}.
phone|telephone ; phone ; Phone {}.
> {recipient}, {street}, {zip} {city}, {country}
> {street}, {city}, {state} {zip}
> Please send it to {recipient}, {street}, {city}.
> We moved to {street} in {city}.
= log
timestamp|time|logged at|ts ; datetime ; At {}.
level|log level|lvl ; level ; Level {}.
service|app|component|source ; word ; From service {}.
message|msg|text ; phrase ; It said: {}.
host|hostname|server|node ; word ; On host {}.
ip|ip address|client ip|remote address ; ip ; From {}.
status code|status|http status|response code ; int ; Returned {}.
duration ms|duration|latency|elapsed ms ; int ; Took {} ms.
method|http method|verb ; method ; Method {}.
path|file|request path ; path ; Path {}.
request id|trace id|correlation id ; hex ; Request {}.
retry|will retry ; bool ; Retry: {}.
> {timestamp} {level} {service}: {message}
> [{timestamp}] {level} {host} {message}
> {ip} - {method} {path} {status_code} {duration_ms}ms
> {timestamp} [{service}] {level} - {message} (request {request_id})
= travel
passenger|traveler|traveller|name ; name ; Passenger: {}. ; Booked for {}.
origin|departure city|from ; city ; Leaving from {}. ; From {}.
destination|arrival city|to ; city ; Going to {}. ; To {}.
departure date|depart|departure|leaves on ; date ; Departs on {}.
return date|return|returning ; date ; Back on {}.
flight number|flight|flight no ; code ; Flight {}.
airline|carrier ; company ; Flying with {}.
travel class|class|cabin ; class ; In {} class.
seat|seat number ; code ; Seat {}.
hotel|hotel name ; company ; Staying at {}.
nights|number of nights ; small ; For {} nights.
guests|number of guests|travelers ; small ; For {} people.
price|fare|total fare ; price ; The fare is {}.
> {passenger} flies from {origin} to {destination} on {departure_date}.
> Flight {flight_number} with {airline}: {origin} to {destination}, {departure_date}.
> Book a {travel_class} seat from {origin} to {destination} for {passenger}, back on {return_date}.
> {nights} nights at {hotel} in {destination} for {guests} guests.
= device
device id|device|id|serial number|serial ; code ; Device {}. ; Serial number {}.
model|model name ; cap ; Model {}.
room|location|placed in ; word ; In the {}.
temperature|temp|temperature celsius ; decimal ; The temperature is {}. ; It reads {} degrees.
humidity|relative humidity ; percent ; Humidity {}.
battery|battery level|charge ; percent ; Battery at {}.
power state|state|mode ; power ; It is {}.
firmware|firmware version|version ; code ; Firmware {}.
last seen|seen at|last contact ; datetime ; Last seen {}.
online|connected|is online ; bool ; Online: {}.
mac|ip address|address ; ip ; Address {}.
> Device {device_id} in the {room}: {temperature} degrees, battery {battery}.
> {model} ({device_id}) last seen {last_seen}, firmware {firmware}
> The sensor in the {room} shows {temperature} and {humidity} humidity.
= invoice
invoice number|invoice|invoice no|invoice id ; code ; Invoice {}. ; The invoice number is {}.
vendor|seller|supplier|issued by ; company ; Issued by {}. ; The vendor is {}.
bill to|billed to|customer ; name ; Billed to {}.
issue date|invoice date|date|issued on ; date ; Issued on {}.
due date|payable by|due|due by ; date ; Due on {}. ; Please pay by {}.
subtotal|net amount|net ; price ; Subtotal {}.
tax|vat|tax amount ; price ; Tax {}.
total|amount due|total amount ; price ; Amount due: {}. ; The total is {}.
currency ; currency ; All amounts in {}.
paid|is paid|settled ; bool ; Paid: {}.
iban|account|account number ; code ; Account {}.
> Invoice {invoice_number} from {vendor} to {bill_to}, due {due_date}: {total}.
> {vendor} sent invoice {invoice_number} over {total}, payable by {due_date}.
> Subtotal {subtotal}, tax {tax}, total {total}
= employee
employee id|staff number|personnel number|id ; code ; Employee {}.
name|full name|employee ; name ; {} joined us.
department|team|unit ; cap ; In the {} department. ; Part of {}.
position|job title|title|role ; job ; Hired as {}.
manager|supervisor|reports to ; name ; Reports to {}.
salary|annual salary|yearly pay ; big ; Earns {} a year.
start date|hire date|joined|hired on ; date ; Started on {}.
skills|expertise ; words ; Knows {}.
employment type|contract type ; contract ; It is a {} position.
remote|works remotely ; bool ; Remote: {}.
email|work email ; email ; Email {}.
> {name} joins {department} as {position} on {start_date}.
> {name} ({employee_id}), {position}, reports to {manager}
> Our new {position} is {name}, who earns {salary}.
= book
title|book title|book ; title ; The book is "{}". ; I read "{}".
author|writer|written by ; name ; Written by {}. ; The author is {}.
year|published|publication year ; year ; Published in {}.
isbn ; digits ; ISBN {}.
pages|page count|number of pages ; count ; {} pages.
publisher|publishing house ; company ; Published by {}.
genre|category ; genre ; Genre: {}.
language ; country ; Language: {}.
rating|score ; rating ; I give it {}.
translated|is translation ; bool ; Translated: {}.
> "{title}" by {author} ({year})
> {author}: {title}. {publisher}, {year}, {pages} pages.
> I loved {title} by {author}, {rating}.
= payment
transaction id|transaction|reference|payment id ; hex ; Transaction {}. ; The reference is {}.
sender|payer|from|from account ; name ; Sent by {}.
receiver|payee|to|recipient ; name ; Received by {}. ; To {}.
amount|sum|value ; price ; {} was sent. ; The amount is {}.
currency ; currency ; In {}.
date|paid on|booking date ; date ; On {}.
method|payment method ; pay ; By {}.
note|memo|purpose|description ; phrase ; Note: {}.
approved|is approved|confirmed ; bool ; Approved: {}.
> {sender} sent {amount} to {receiver} on {date}.
> {receiver} got {amount} from {sender} ({note})
> Transaction {transaction_id}: {amount}, {note}
= vehicle
plate|license plate|registration ; code ; The plate is {}.
make|brand|manufacturer ; cap ; It is a {}.
model ; cap ; Model {}.
year|model year|built in ; year ; Built in {}.
color|colour ; color ; Painted {}.
mileage|odometer|kilometers ; big ; With {} km.
owner|driver|keeper ; name ; Owned by {}. ; The driver is {}.
fuel|fuel type ; fuel ; Runs on {}.
price|asking price ; price ; For {}.
electric|is electric ; bool ; Electric: {}.
> {year} {make} {model}, {color}, {mileage} km, {price}
> {owner} drives a {color} {make} {model} with plate {plate}.
> For sale: {make} {model} ({year}), {fuel}, asking {price}
""")

HELD_OUT = parse("""
= recipe
dish|recipe name|meal ; title ; The dish is called {}. ; Today we cook {}.
chef|cook|prepared by ; name ; Cooked by {}.
servings|portions|serves ; small ; Serves {}.
prep minutes|preparation minutes|prep time ; count ; Preparation takes {} minutes.
ingredients|shopping list ; words ; You need {}.
difficulty|skill level ; difficulty ; It is {} to make.
calories|energy kcal ; int ; {} calories.
vegetarian|meatless ; bool ; Vegetarian: {}.
oven temperature|oven degrees ; count ; Bake at {} degrees.
> {dish} by {chef}, serves {servings}
> To make {dish} take {ingredients} and bake for {prep_minutes} minutes.
> {chef} cooks {dish} for {servings} people.
= code review
pull request|merge request|change ; code ; Pull request {}.
reviewer|reviewed by|checker ; name ; Reviewed by {}.
repository|repo|codebase ; word ; In the {} repository.
branch|feature branch ; word ; On branch {}.
verdict|decision|outcome ; verdict ; The verdict is {}.
file|changed file|filename ; path ; In {}.
line|line number ; int ; Line {}.
commit|commit hash|revision ; hex ; Commit {}.
remark|finding|criticism ; phrase ; Remark: {}.
additions|lines added ; int ; {} lines added.
tests pass|tests green|ci passed ; bool ; Tests pass: {}.
> {reviewer} reviewed {pull_request} in {repository}: {verdict}
> {file}:{line} {remark}
> {reviewer} left a remark on {file}, line {line}: {remark}
= medical
patient|patient name|admitted person ; name ; The patient is {}.
physician|doctor|attending ; name ; Seen by {}.
diagnosis|disease|finding ; phrase ; Diagnosis: {}.
blood type|blood group ; blood ; Blood type {}.
heart rate|pulse|beats per minute ; count ; Pulse {}.
dosage|dose mg|milligrams ; int ; Take {} mg.
drug|medication|medicine ; cap ; Prescribed {}.
appointment|visit date|consultation ; date ; Visit on {}.
ward|clinic|hospital unit ; cap ; In ward {}.
allergies|allergic to ; words ; Allergic to {}.
insured|has insurance ; bool ; Insured: {}.
> {patient} saw {physician} on {appointment}.
> {physician} prescribed {dosage} mg of {drug} to {patient}.
> {patient}, pulse {heart_rate}, blood type {blood_type}
= real estate
listing|listing id|property id ; code ; Listing {}.
landlord|property owner|lessor ; name ; Offered by {}.
bedrooms|sleeping rooms|beds ; small ; {} bedrooms.
bathrooms|baths ; small ; {} bathrooms.
square meters|floor area|living area ; count ; {} square meters.
rent|monthly rent|lease price ; price ; The rent is {}.
deposit|security deposit ; price ; Deposit {}.
neighborhood|district|quarter ; cap ; In {}.
available from|move in date|vacant from ; date ; Free from {}.
furnished|with furniture ; bool ; Furnished: {}.
amenities|facilities ; words ; With {}.
> Flat with {bedrooms} bedrooms in {neighborhood}, {square_meters} m2, {rent}
> {landlord} rents out {square_meters} square meters in {neighborhood} for {rent}.
> {listing}: {bedrooms} bed, {bathrooms} bath, free from {available_from}
= sports
home team|hosts|home side ; company ; At home: {}.
away team|visitors|away side ; company ; The visitors were {}.
home score|home goals ; small ; The hosts scored {}.
away score|away goals ; small ; The visitors scored {}.
stadium|arena|ground ; title ; Played at {}.
referee|umpire ; name ; The referee was {}.
spectators|attendance|crowd ; big ; {} spectators.
match day|played on|fixture date ; date ; Played on {}.
scorers|goal scorers ; names ; Goals by {}.
overtime|extra time ; bool ; Overtime: {}.
> {home_team} {home_score} - {away_score} {away_team}
> {home_team} beat {away_team} at {stadium} on {match_day}.
> {referee} led the match of {home_team} against {away_team} before {spectators} spectators.
""")

HELD_OUT_NAMES = frozenset(alias for d in HELD_OUT.values() for f in d.fields for alias in f.names)
HELD_OUT_NAMES -= frozenset(alias for d in TRAINED.values() for f in d.fields for alias in f.names)
